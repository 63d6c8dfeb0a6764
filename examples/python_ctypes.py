# SPDX-License-Identifier: BSD-2-Clause
"""From Python through ctypes, with every type from api.json: sample images from a model file into a folder.

    python3 python_ctypes.py LIBRARY API.json MODEL.safetensors OUT_FOLDER [COUNT]
"""
import ctypes
import json
import os
import sys

SCALARS = {"void": None, "int": ctypes.c_int, "int64_t": ctypes.c_int64, "size_t": ctypes.c_size_t, "double": ctypes.c_double,
           "uint64_t": ctypes.c_uint64}


def ctype(text):
    return ctypes.c_char_p if text == "const char *" else SCALARS.get(text, ctypes.c_void_p)


class Maskdm:
    """The library's functions without their prefix, those that create something answering it; its enumerations' values."""

    def __init__(self, library, api):
        self.lib = ctypes.CDLL(library)
        self.lib.maskdm_last_error.restype = ctypes.c_char_p
        for enum in api["enums"]:
            for value in enum["values"]:
                setattr(self, value["name"], value["value"])
        for f in api["functions"]:
            function = getattr(self.lib, f["name"])
            function.restype, function.argtypes = ctype(f["result"]), [ctype(p["type"]) for p in f["parameters"]]
            function.errcheck = self.check
            makes = f["must_check"] and f["parameters"][0]["type"].endswith(" **")
            setattr(self, f["name"][len("maskdm_"):], self.maker(function) if makes else function)

    def check(self, answer, function, arguments):
        if isinstance(answer, int) and answer < 0 and function is not self.lib.maskdm_last_status:
            raise RuntimeError(self.lib.maskdm_last_error().decode())
        return answer

    def maker(self, function):
        def make(*arguments):
            out = ctypes.c_void_p()
            function(ctypes.addressof(out), *arguments)
            return out
        return make


def main(library, api, path, folder, count=4):
    with open(api) as f:
        maskdm = Maskdm(library, json.load(f))
    device = maskdm.device_open(b"cpu", None)
    model = maskdm.model_load(device, path.encode())
    options = maskdm.options_create(b"sampler")
    maskdm.options_parse(options, b"sampler=ddim steps=20 seed=7")
    sampler = maskdm.sampler_create(model, maskdm.MASKDM_WEIGHTS_EMA, options, None)

    height, width, channels = (getattr(maskdm, "model_" + side)(model) for side in ("height", "width", "channels"))
    size, u8 = height * width * channels, maskdm.MASKDM_SAMPLE_U8
    pixels = (ctypes.c_ubyte * (count * size))()
    maskdm.sampler_run(sampler, count, None, None, u8, ctypes.addressof(pixels), 0, 0)

    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        image = maskdm.image_create(height, width, channels, u8, ctypes.addressof(pixels) + i * size, 0)
        maskdm.image_write_png(image, os.path.join(folder, "%d.png" % i).encode(), 8)
        maskdm.image_release(ctypes.addressof(image))
    for what, handle in (("sampler", sampler), ("options", options), ("model", model), ("device", device)):
        getattr(maskdm, what + "_release")(ctypes.addressof(handle))
    print("%d images of %d x %d in %s" % (count, height, width, folder))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    main(*sys.argv[1:5], *(int(a) for a in sys.argv[5:6]))
