# SPDX-License-Identifier: BSD-2-Clause
"""From Python through ctypes alone: sample images from a model file into a folder.

    python3 python_ctypes.py LIBRARY MODEL.safetensors OUT_FOLDER [COUNT]
"""
import ctypes
import os
import sys


class Maskdm:
    """The library with its statuses turned into exceptions; attributes are its functions without the prefix."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.maskdm_last_error.restype = ctypes.c_char_p
        for name in ("height", "width", "channels"):
            function = getattr(self.lib, "maskdm_model_" + name)
            function.restype = ctypes.c_int if name == "channels" else ctypes.c_int64
            function.argtypes = [ctypes.c_void_p]

    def check(self, status):
        if status < 0:
            raise RuntimeError(self.lib.maskdm_last_error().decode())

    def make(self, function, *arguments):
        """Call a function whose first argument is its result, and return that handle."""
        out = ctypes.c_void_p()
        self.check(getattr(self.lib, "maskdm_" + function)(ctypes.byref(out), *arguments))
        return out

    def drop(self, what, handle):
        getattr(self.lib, "maskdm_%s_release" % what)(ctypes.byref(handle))


def main(library, path, folder, count=4):
    maskdm = Maskdm(library)
    device = maskdm.make("device_open", b"cpu", None)
    model = maskdm.make("model_load", device, path.encode())
    options = maskdm.make("options_create", b"sampler")
    maskdm.check(maskdm.lib.maskdm_options_parse(options, b"sampler=ddim steps=20 seed=7"))
    sampler = maskdm.make("sampler_create", model, 0, options, None)

    height, width = maskdm.lib.maskdm_model_height(model), maskdm.lib.maskdm_model_width(model)
    channels = maskdm.lib.maskdm_model_channels(model)
    size = height * width * channels
    pixels = (ctypes.c_ubyte * (count * size))()
    u8, packed = 0, ctypes.c_size_t(0)
    maskdm.check(maskdm.lib.maskdm_sampler_run(sampler, ctypes.c_int64(count), None, None, u8, pixels, packed, packed))

    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        one = ctypes.byref(pixels, i * size)
        image = maskdm.make("image_create", ctypes.c_int64(height), ctypes.c_int64(width), channels, u8, one, packed)
        maskdm.check(maskdm.lib.maskdm_image_write_png(image, os.path.join(folder, "%d.png" % i).encode(), 8))
        maskdm.drop("image", image)
    for what, handle in (("sampler", sampler), ("options", options), ("model", model), ("device", device)):
        maskdm.drop(what, handle)
    print("%d images of %d x %d in %s" % (count, height, width, folder))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    main(*sys.argv[1:4], *(int(a) for a in sys.argv[4:5]))
