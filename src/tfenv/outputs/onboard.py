"""A shell script that prepares a machine, to be read before it is run: POSIX sh, safe to run again.

Sources: NVIDIA Container Toolkit, "Installing"; Debian wiki, "NvidiaGraphicsDrivers"; CUDA Installation Guide for
Linux; CUDA on WSL User Guide.
"""

from __future__ import annotations

from enum import StrEnum


class System(StrEnum):
    """Distributions that the script knows."""

    DEBIAN = "debian"
    UBUNTU = "ubuntu"
    FEDORA = "fedora"
    RHEL = "rhel"
    WSL = "wsl"

    def __str__(self) -> str:
        return self.value


_HEAD = """\
#!/bin/sh
# Written by tfenv onboard for {title}. Read it, then run it: `sh {name}`. Run again, it skips the steps that are done.
set -eu

say() {{ printf '\\n== %s\\n' "$*"; }}
has() {{ command -v "$1" >/dev/null 2>&1; }}
"""

_DRIVER = {
    System.DEBIAN: """\
# Source: https://wiki.debian.org/NvidiaGraphicsDrivers
if has nvidia-smi; then
    say "NVIDIA driver: already installed"
else
    say "NVIDIA driver, from Debian's component non-free"
    . /etc/os-release
    list=/etc/apt/sources.list.d/tfenv-non-free.list
    if [ ! -f "$list" ]; then
        echo "deb http://deb.debian.org/debian ${VERSION_CODENAME} contrib non-free non-free-firmware" |
            sudo tee "$list" >/dev/null
    fi
    sudo apt-get update
    sudo apt-get install -y "linux-headers-$(uname -r)" nvidia-driver
    say "restart the machine, then run this script again"
    exit 0
fi
""",
    System.UBUNTU: """\
if has nvidia-smi; then
    say "NVIDIA driver: already installed"
else
    say "NVIDIA driver, as recommended by Ubuntu"
    sudo apt-get update
    sudo apt-get install -y ubuntu-drivers-common
    sudo ubuntu-drivers install
    say "restart the machine, then run this script again"
    exit 0
fi
""",
    System.FEDORA: """\
if has nvidia-smi; then
    say "NVIDIA driver: already installed"
else
    say "NVIDIA driver, from RPM Fusion"
    release=$(rpm -E %fedora)
    sudo dnf install -y \\
        "https://mirrors.rpmfusion.org/free/fedora/rpmfusion-free-release-${release}.noarch.rpm" \\
        "https://mirrors.rpmfusion.org/nonfree/fedora/rpmfusion-nonfree-release-${release}.noarch.rpm"
    sudo dnf install -y akmod-nvidia xorg-x11-drv-nvidia-cuda
    say "wait five minutes for the module to build, restart the machine, then run this script again"
    exit 0
fi
""",
    System.RHEL: """\
# Source: https://docs.nvidia.com/cuda/cuda-installation-guide-linux/
if has nvidia-smi; then
    say "NVIDIA driver: already installed"
else
    say "NVIDIA driver, from NVIDIA's repository"
    release=$(rpm -E %rhel)
    repository=/etc/yum.repos.d/cuda-rhel${release}.repo
    if [ ! -f "$repository" ]; then
        sudo curl -fsSL -o "$repository" \\
            "https://developer.download.nvidia.com/compute/cuda/repos/rhel${release}/x86_64/cuda-rhel${release}.repo"
    fi
    sudo dnf install -y "kernel-devel-$(uname -r)" "kernel-headers-$(uname -r)" cuda-drivers
    say "restart the machine, then run this script again"
    exit 0
fi
""",
    System.WSL: """\
# Source: CUDA on WSL User Guide, https://docs.nvidia.com/cuda/wsl-user-guide/
if has nvidia-smi || [ -x /usr/lib/wsl/lib/nvidia-smi ]; then
    say "NVIDIA driver: installed on Windows"
else
    say "install the NVIDIA driver on Windows (https://www.nvidia.com/drivers), then run 'wsl --shutdown'"
    say "do not install a driver inside WSL: it would hide the driver of Windows"
    exit 1
fi
""",
}

_APT_ENGINE = """\
if has docker; then
    say "Docker: already installed"
else
    say "Docker"
    sudo apt-get update
    sudo apt-get install -y docker.io
    sudo usermod -aG docker "$(id -un)"
    say "log out and in again to use Docker without sudo, then run this script again"
    exit 0
fi
"""

_DNF_ENGINE = """\
if has docker; then
    say "Docker: already installed"
else
    say "Docker"
    sudo dnf install -y {package}
    sudo systemctl enable --now docker
    sudo usermod -aG docker "$(id -un)"
    say "log out and in again to use Docker without sudo, then run this script again"
    exit 0
fi
"""

_ENGINE = {
    System.DEBIAN: _APT_ENGINE,
    System.UBUNTU: _APT_ENGINE,
    System.WSL: _APT_ENGINE,
    System.FEDORA: _DNF_ENGINE.replace("{package}", "moby-engine"),
    System.RHEL: _DNF_ENGINE.replace(
        "    sudo dnf install -y {package}\n",
        """\
    repository=/etc/yum.repos.d/docker-ce.repo
    if [ ! -f "$repository" ]; then
        sudo curl -fsSL -o "$repository" https://download.docker.com/linux/rhel/docker-ce.repo
    fi
    sudo dnf install -y docker-ce
""",
    ),
}

_APT_TOOLKIT = """\
# Source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html
if has nvidia-ctk; then
    say "NVIDIA Container Toolkit: already installed"
else
    say "NVIDIA Container Toolkit"
    key=/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg
    list=/etc/apt/sources.list.d/nvidia-container-toolkit.list
    sudo apt-get update
    sudo apt-get install -y ca-certificates curl gnupg
    if [ ! -f "$key" ]; then
        curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey | sudo gpg --dearmor -o "$key"
    fi
    if [ ! -f "$list" ]; then
        curl -fsSL https://nvidia.github.io/libnvidia-container/stable/deb/nvidia-container-toolkit.list |
            sed "s#deb https://#deb [signed-by=$key] https://#g" | sudo tee "$list" >/dev/null
    fi
    sudo apt-get update
    sudo apt-get install -y nvidia-container-toolkit
fi
"""

_DNF_TOOLKIT = """\
# Source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html
if has nvidia-ctk; then
    say "NVIDIA Container Toolkit: already installed"
else
    say "NVIDIA Container Toolkit"
    repository=/etc/yum.repos.d/nvidia-container-toolkit.repo
    if [ ! -f "$repository" ]; then
        sudo curl -fsSL -o "$repository" \\
            https://nvidia.github.io/libnvidia-container/stable/rpm/nvidia-container-toolkit.repo
    fi
    sudo dnf install -y nvidia-container-toolkit
fi
"""

_CONFIGURE = """\
if docker info --format '{{json .Runtimes}}' 2>/dev/null | grep -q '"nvidia"'; then
    say "Docker: already gives GPUs to containers"
else
    say "Docker: configuring it to give GPUs to containers"
    sudo nvidia-ctk runtime configure --runtime=docker
    sudo systemctl restart docker || sudo service docker restart
fi
"""

_TFENV = """\
if ! has tfenv; then
    say "tfenv is not on the PATH: install it (see its README), then run this script again"
    exit 1
fi
"""

_FIRST = """\
say "lock, image, and smoke test"
[ -f pylock.toml ] || tfenv lock --gpu {gpu}
tfenv build
tfenv smoke
say "done"
"""

_TITLE = {
    System.DEBIAN: "Debian",
    System.UBUNTU: "Ubuntu",
    System.FEDORA: "Fedora",
    System.RHEL: "Red Hat Enterprise Linux and compatible distributions",
    System.WSL: "Windows Subsystem for Linux",
}


def dumps(system: System, *, gpu: bool, name: str = "onboard.sh") -> str:
    """The script for a distribution.

    Args:
        system: distribution of the machine.
        gpu: whether to prepare an NVIDIA GPU.
        name: name of the script's file, for its first lines.
    """
    apt = system in (System.DEBIAN, System.UBUNTU, System.WSL)
    parts = [_HEAD.format(title=_TITLE[system], name=name)]
    parts += [_DRIVER[system]] if gpu else []
    parts.append(_ENGINE[system])
    parts += [_APT_TOOLKIT if apt else _DNF_TOOLKIT, _CONFIGURE] if gpu else []
    parts += [_TFENV, _FIRST.format(gpu="auto" if gpu else "none")]
    return "\n".join(parts)


def system_of(words: str, *, wsl: bool) -> System | None:
    """The distribution, by the name a system reports (`Debian GNU/Linux 12`); ``None`` if there is no script for it."""
    if wsl:
        return System.WSL
    lowered = words.lower()
    for system, names in (
        (System.UBUNTU, ("ubuntu", "mint", "pop!")),
        (System.DEBIAN, ("debian",)),
        (System.FEDORA, ("fedora",)),
        (System.RHEL, ("red hat", "rocky", "alma", "centos", "oracle")),
    ):
        if any(each in lowered for each in names):
            return system
    return None
