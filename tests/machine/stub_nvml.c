/* A stand-in for libnvidia-ml.so.1, to try detection through the real bindings. STUB_NVML says what kind of machine:
   nothing is one H100; "two" is an A100 and a T4; "lost" is an A100 beside a GPU that has fallen off the bus;
   "none" is a driver without a GPU; "mismatch" is a library of another version than the kernel module. */
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, LIB_RM_VERSION_MISMATCH = 18, GPU_IS_LOST = 15 };

struct device { const char *name; int major, minor; unsigned long long memory; };
static struct device h100 = {"NVIDIA H100 80GB HBM3", 9, 0, 85899345920ULL};
static struct device a100 = {"NVIDIA A100-SXM4-40GB", 8, 0, 42949672960ULL};
static struct device t4 = {"Tesla T4", 7, 5, 16106127360ULL};

static int is(const char *kind) {
    const char *said = getenv("STUB_NVML");
    return said != NULL && strcmp(said, kind) == 0;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; return is("mismatch") ? LIB_RM_VERSION_MISMATCH : SUCCESS; }
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "Driver/library version mismatch"; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { strncpy(text, "535.104.05", length); return SUCCESS; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12020; return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = is("none") ? 0 : is("two") || is("lost") ? 2 : 1;
    return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    if (index == 1 && is("lost")) return GPU_IS_LOST;
    *handle = index == 1 ? &t4 : is("two") || is("lost") ? &a100 : &h100;
    return SUCCESS;
}
int nvmlDeviceGetName(void *handle, char *text, unsigned length) {
    strncpy(text, ((struct device *)handle)->name, length);
    return SUCCESS;
}
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    *major = ((struct device *)handle)->major;
    *minor = ((struct device *)handle)->minor;
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *memory) {
    memory[0] = memory[1] = ((struct device *)handle)->memory;
    memory[2] = 0;
    return SUCCESS;
}
