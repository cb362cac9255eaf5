"""Which distribution contains a module, for packages in the environment of TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAME: Final = (
    "tensorflow_addons tensorflow_hub tensorflow_text tensorflow_probability tensorflow_datasets tensorflow_io "
    "tensorflow_transform tensorflow_model_optimization tensorflow_federated tensorflow_gan "
    "tensorflow_graphics tensorflow_ranking tensorflow_recommenders tensorflow_decision_forests "
    "tensorflow_lattice tensorflow_quantum tensorflow_similarity tensorflow_compression tensorflow_estimator "
    "tensorflow_privacy tensorflow_serving_api tensorflow_data_validation tensorflow_model_analysis "
    "tensorflow_metadata tensorflow_cloud tensorflow_constrained_optimization tensorflow_recommenders_addons "
    "tf_slim tf_agents tf_keras keras keras_cv keras_nlp keras_hub keras_tuner keras_applications "
    "keras_preprocessing tensor2tensor tensorboard tflearn tensorlayer tensorpack gpflow mesh_tensorflow "
    "horovod edward trfl larq spektral tensorforce neural_structured_learning tf2onnx tensorflowjs tfx "
    "tensorflow_gnn tflite_runtime adanet dopamine_rl bayesflow deepxde onnx_tf segmentation_models "
    "efficientnet "
)
_OTHER: Final = {
    "official": "tf-models-official",
    "object_detection": "tf-models-research-object-detection",
    "kerastuner": "keras-tuner",
    "sonnet": "dm-sonnet",
    "graph_nets": "graph-nets",
    "tensorflow_serving": "tensorflow-serving-api",
    "dopamine": "dopamine-rl",
    "stable_baselines": "stable-baselines",
    "keras_contrib": "keras-contrib",
    "keras_bert": "keras-bert",
    "keras_retinanet": "keras-retinanet",
    "nets": "tf-models-research-slim",
    "reverb": "dm-reverb",
    "acme": "dm-acme",
    "tree": "dm-tree",
}
_DISTRIBUTIONS: Final = {name: name.replace("_", "-") for name in _SAME.split()} | _OTHER
OFF_INDEX: Final = {
    "keras-contrib": "https://github.com/keras-team/keras-contrib",
    "tf-models-research-object-detection": "https://github.com/tensorflow/models/tree/master/research/object_detection",
    "tf-models-research-slim": "https://github.com/tensorflow/models/tree/master/research/slim",
}
"""Distributions that are not on PyPI, each with its address."""


_ASK: Final = {
    "tensorboard": (
        *(f"tf.summary.{kind}" for kind in ("audio", "histogram", "image", "scalar", "text")),
        "keras.callbacks.TensorBoard",
    ),
    "pillow": (".load_img", ".array_to_img", ".ImageDataGenerator().flow_from_directory"),
    "scipy": (".preprocessing.image.ImageDataGenerator",),
}
"""Distributions that not every release requires, and suffixes of the names that fail without them (tried on 2.21)."""


def distribution(module: str) -> str | None:
    """The distribution that contains a module; ``None`` if it is not known to belong to TensorFlow."""
    return _DISTRIBUTIONS.get(module)


def asked(path: str) -> Iterator[str]:
    """The distributions that a name of TensorFlow or Keras needs at run time."""
    return (name for name, ends in _ASK.items() if path.endswith(ends))
