"""What devices there are."""

from tensorflow.python.client import device_lib

assert device_lib.list_local_devices()[0].name
