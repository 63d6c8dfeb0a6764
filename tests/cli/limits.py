# SPDX-License-Identifier: BSD-2-Clause
"""Hosts with limits: little address space (ulimit -v), few threads (ulimit -u), a CPU quota of a control group."""
import os
import platform
import resource
import subprocess
import sys

from rig import LIBRARY, NETWORK, Skip, TINY, faces, main, maskdm


def address_space(kib):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (kib * 1024, kib * 1024))


def multiplies_itself():
    if platform.machine() != "x86_64":
        return platform.machine() == "aarch64"
    with open("/proc/cpuinfo") as f:
        words = f.read().split()
    return "avx2" in words and "fma" in words


def check_what_multiplies_nothing_needs_little():
    data = faces("data", 8)
    maskdm("pretrain", "--data", data, "--out", "run", *TINY, "--steps", 1)
    for kib in 60000, 100000, 180000:
        maskdm("info", "run/model.safetensors", preexec_fn=address_space(kib), timeout=20)
        maskdm("info", "missing", status=1, says=["missing"], preexec_fn=address_space(kib), timeout=20)
        maskdm("--version", preexec_fn=address_space(kib), timeout=20)


def check_products_end_with_a_line_or_work():
    data = faces("data", 8)
    words = ["--data", data, *TINY, "--loaders", 0, "--steps", 1]
    if multiplies_itself():
        maskdm("pretrain", *words, "--out", "own", preexec_fn=address_space(180000), timeout=60)
    for kib in (100000, 180000, 250000) if os.environ.get("MASKDM_HAVE_BLAS") else ():
        maskdm("pretrain", *words, "--out", "blas", "--instruction-set", "c", status=1, says=["ulimit -v", "OpenBLAS"],
               preexec_fn=address_space(kib), timeout=60)


def check_a_refused_thread_says_the_limit():
    if os.getuid():
        raise Skip("needs root, to become a user who has no threads left")

    def nobody():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setgid(65534)
        os.setuid(65534)

    data = faces("data", 8)
    os.chmod(".", 0o777)
    os.chmod(data, 0o755)
    try:
        maskdm("pretrain", "--data", data, "--out", "run", *NETWORK, "--batch-size", 8, "--threads", 8, "--steps", 1,
               status=1, says=["thread", "ulimit -u"], preexec_fn=nobody)
    except OSError as e:
        raise Skip("that user cannot run the program: %s" % e)


# ---- CPU quota ----

OPEN = """
import ctypes, sys
lib, device = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
lib.maskdm_device_threads.restype = ctypes.c_int64
assert lib.maskdm_device_open(ctypes.byref(device), b"cpu", None) == 0
print(lib.maskdm_device_threads(device))
lib.maskdm_device_release(ctypes.byref(device))
"""


def threads(tasks=None):
    def enter():
        if tasks:
            with open(tasks, "w") as f:
                f.write("0")

    said = subprocess.run([sys.executable, "-c", OPEN, LIBRARY], preexec_fn=enter, capture_output=True, text=True,
                          check=True)
    return int(said.stdout)


def put(group, **values):
    for name, text in values.items():
        with open(os.path.join(group, name.replace("_", ".", 1)), "w") as f:
            f.write(text)


def half_a_core(group):
    if os.path.exists(os.path.join(group, "cpu.max")):
        put(group, cpu_max="50000 100000")
    else:
        put(group, cpu_cfs_period_us="100000", cpu_cfs_quota_us="50000")


def check_a_quota_bounds_the_threads():
    if threads() < 2:
        raise Skip("one core: nothing to bound")
    groups, version2 = [], os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    try:
        for name in "maskdm-quota", "maskdm-quota/inner":
            groups.append(os.path.join("/sys/fs/cgroup" if version2 else "/sys/fs/cgroup/cpu", name))
            os.mkdir(groups[-1])
            if version2 and len(groups) == 1:
                put(groups[0], cgroup_subtree_control="+cpu")
        half_a_core(groups[0])
    except OSError as e:
        for group in reversed(groups):
            if os.path.isdir(group):
                os.rmdir(group)
        raise Skip("no control group can be made here: %s" % e)
    try:
        tasks = os.path.join(groups[1], "cgroup.procs" if version2 else "tasks")
        assert threads(tasks) == 1, "the quota of a group above is not seen"
        assert threads() > 1
    finally:
        for group in reversed(groups):
            os.rmdir(group)


main(globals())
