# SPDX-License-Identifier: BSD-2-Clause
"""api.json is all that a binding needs: bindings.py API.json LIBRARY.

It holds every exported function and no other; each type in it is known here; and a program that has its signatures and
numbers from it alone trains a network, hears of it by a callback, and gets an error by its status and line."""
import ctypes
import json
import subprocess
import sys

api, path = json.load(open(sys.argv[1])), sys.argv[2]
SCALARS = {"void": None, "int": ctypes.c_int, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64,
           "size_t": ctypes.c_size_t, "float": ctypes.c_float, "double": ctypes.c_double}
handles = {h["name"] for h in api["handles"]}
structs, callbacks = {}, {}


def ctype(text):
    """Of a type as C writes it; pointers to handles are void *, so that any of them may be NULL."""
    plain = text.replace("const ", "")
    stars, base = text.count("*"), plain.replace("*", "").replace("const", "").strip()
    if base in callbacks and not stars:
        return callbacks[base]
    if not stars:
        return SCALARS[base]
    if base == "char" and stars == 1 and text.startswith("const"):
        return ctypes.c_char_p
    one = None if base in handles or base == "void" else ctypes.c_char if base == "char" else \
        structs[base.split()[1]] if base.startswith("struct ") else SCALARS[base]
    pointer = ctypes.c_void_p if one is None else ctypes.POINTER(one)
    for _ in range(stars - 1):
        pointer = ctypes.POINTER(pointer)
    return pointer


for s in api["structs"]:
    structs[s["name"]] = type(s["name"], (ctypes.Structure,), {"_fields_": [(m["name"], ctype(m["type"])) for m in s["members"]]})
for c in api["callbacks"]:
    callbacks[c["name"]] = ctypes.CFUNCTYPE(ctype(c["result"]), *[ctype(p["type"]) for p in c["parameters"]])
number = {v["name"]: v["value"] for e in api["enums"] for v in e["values"]}

out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout
exported = {line.split()[-1].split("@")[0] for line in out.splitlines()} - {"MASKDM_%d" % api["abi"]}
assert exported == {f["name"] for f in api["functions"]}, exported ^ {f["name"] for f in api["functions"]}
assert all(f["doc"] or f["name"].endswith("_release") for f in api["functions"]), [f["name"] for f in api["functions"] if not f["doc"]]

lib = ctypes.CDLL(path)
for f in api["functions"]:
    function = getattr(lib, f["name"])
    function.restype, function.argtypes = ctype(f["result"]), [ctype(p["type"]) for p in f["parameters"]]


def check(status):
    assert status >= 0, lib.maskdm_last_error()
    return status


def make(function, *arguments):
    handle = ctypes.c_void_p()
    check(getattr(lib, "maskdm_" + function)(ctypes.byref(handle), *arguments))
    return handle


def options(kind, text):
    o = make("options_create", kind)
    check(lib.maskdm_options_parse(o, text))
    return o


def fetch(user, index, image, label):
    for k in range(8 * 8 * 3):
        image[k] = (index + k) % 7 / 7
    label[0] = -1
    return 0


seen = []
progress = callbacks["maskdm_progress_callback"](lambda user, p: seen.append((p[0].struct_size, p[0].step, p[0].loss)) or 0)
fetch = callbacks["maskdm_data_fetch_callback"](fetch)
info = json.loads(lib.maskdm_build_info())
assert info["version"] == api["version"] == lib.maskdm_version_string().decode() and info["abi"] == api["abi"]
for name in info["instruction_sets"]:
    status = lib.maskdm_device_open(ctypes.byref(ctypes.c_void_p()), info["devices"][0].encode(),
                                    options(b"device", b"threads=1 instruction_set=" + name.encode()))
    assert status in (0, number["MASKDM_ENOTSUP"], number["MASKDM_ENOMEM"]), (name, lib.maskdm_last_error())
# What an option knows and this build has not is refused; so no set can be had and not be told of.
choices = ctypes.create_string_buffer(256)
for i in range(lib.maskdm_options_count(b"device")):
    check(lib.maskdm_options_describe(b"device", i, b"name", choices, 256, None))
    if choices.value == b"instruction_set":
        check(lib.maskdm_options_describe(b"device", i, b"choices", choices, 256, None))
        break
for name in set(choices.value.decode().split("|")) - {"auto"} - set(info["instruction_sets"]):
    assert lib.maskdm_device_open(ctypes.byref(ctypes.c_void_p()), b"cpu", options(b"device", b"instruction_set=" + name.encode())) \
        == number["MASKDM_ENOTSUP"], name
device = make("device_open", info["devices"][0].encode(), None)
model = make("model_create", device, b"uvit", options(b"uvit", b"image_size=8 patch_size=2 dim=16 depth=3 heads=2"), None, 1)
data = make("data_create_callback", device, 6, 8, 8, 3, fetch, callbacks["maskdm_drop_callback"](), None)
control = make("control_create")
lib.maskdm_control_set_progress(control, progress, None)
optimizer = make("optimizer_create", None, None)
trainer = make("trainer_create", model, None, optimizer, options(b"trainer", b"batch_size=4"), control)
for _ in range(2):
    check(lib.maskdm_trainer_step(trainer, data))
assert lib.maskdm_trainer_steps(trainer) == 2
assert [s[:2] for s in seen] == [(ctypes.sizeof(structs["maskdm_progress"]), 1), (ctypes.sizeof(structs["maskdm_progress"]), 2)]
assert seen[1][2] == lib.maskdm_trainer_last_loss(trainer) > 0
parameter = (ctypes.c_float * 4)()
wrong = lib.maskdm_model_get_parameter(model, number["MASKDM_WEIGHTS_EMA"], 0, parameter, 1)
assert wrong == lib.maskdm_last_status() == number["MASKDM_ESHAPE"] and b"elements, not 1" in lib.maskdm_last_error()
assert lib.maskdm_model_get_parameter(model, 7, 0, parameter, 1) == number["MASKDM_EINVAL"]
assert lib.maskdm_status_name(wrong) == b"MASKDM_ESHAPE"
for what, handle in (("trainer", trainer), ("optimizer", optimizer), ("control", control), ("data", data), ("model", model),
                     ("device", device)):
    getattr(lib, "maskdm_%s_release" % what)(ctypes.byref(handle))
    assert handle.value is None
print("%d functions called by what api.json says" % len(api["functions"]))
