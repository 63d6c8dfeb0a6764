# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the program share: a temporary folder, runs of the program, small networks, PNG files and
arrays of NumPy's.

meson says where things are: MASKDM (the program), MASKDM_LIBRARY, MASKDM_BUILD and MASKDM_SOURCE (folders).
Arguments of a test name the checks to run; without any all are run.
"""
import inspect
import os
import struct
import subprocess
import sys
import tempfile
import traceback
import zlib

PROGRAM = os.environ.get("MASKDM", "maskdm")
LIBRARY = os.environ.get("MASKDM_LIBRARY", "")
BUILD = os.environ.get("MASKDM_BUILD", "build")
SOURCE = os.environ.get("MASKDM_SOURCE", ".")
SKIPPED = 77

NETWORK = "--network uvit --image-size 16 --patch-size 4 --dim 32 --depth 3 --heads 2".split()
TINY = NETWORK + "--mask none --batch-size 8 --threads 1".split()


class Skip(Exception):
    """A power is missing here; the reason is the text."""


def run(*words, status=0, says=(), timeout=120, **more):
    """Run a program (the words of a command); its exit status must be `status`, and `says` must be on stderr."""
    words = [str(w) for w in words]
    p = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, **more)
    p.stdout, p.stderr = p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")
    missing = [s for s in says if s not in p.stderr]
    if p.returncode != status or missing:
        raise AssertionError("%s\nexit status %d, expected %d; missing on stderr: %s\n%s%s" % (
            " ".join(words), p.returncode, status, missing, p.stdout[-2000:], p.stderr[-4000:]))
    return p


def maskdm(*words, **more):
    return run(PROGRAM, *words, **more)


def faces(folder, count, size=16, seed=0):
    os.makedirs(folder, exist_ok=True)
    run(os.path.join(BUILD, "examples", "faces"), folder, count, size, seed)
    return folder


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def same(a, b):
    if read(a) != read(b):
        raise AssertionError("%s and %s differ" % (a, b))


def chunks(path):
    """(kind, body) of each chunk of a PNG file, in order; all must have the right checksum."""
    data, at = read(path), 8
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "%s is not a PNG file" % path
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body, (crc,) = data[at + 8:at + 8 + size], struct.unpack(">I", data[at + 8 + size:at + 12 + size])
        assert zlib.crc32(kind + body) == crc, "%s: damaged" % path
        yield kind, body
        at += 12 + size


def png_header(path):
    """(width, height, bits, colour type) of a PNG file whose parts all have the right checksum."""
    found = list(chunks(path))
    assert found[-1][0] == b"IEND", "%s is cut" % path
    return struct.unpack(">IIBB", found[0][1][:10])


def idat(path):
    """Rows of a PNG file behind one another: of each the number of its filter, then what that left of its samples."""
    return zlib.decompress(b"".join(body for kind, body in chunks(path) if kind == b"IDAT"))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_file(width, height, rows, colour=2, bits=8, more=b"", level=-1):
    """A PNG file of the bytes of each row, not filtered; `more` are chunks in front of them."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), level)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def webp_file(width, height, data, channels=3):
    """A lossless WebP file of samples, row by row, that uses none of what makes such files small: every sample has a
    code of eight bits."""
    bits, count = 0, 0

    def put(value, n):
        nonlocal bits, count
        bits |= value << count
        count += n

    def eight_bits(*lengths):
        """A code with 256 symbols of eight bits each; `lengths` are those of the code that this is said in."""
        for value, n in ((0, 1), (8, 4), *((0, 3),) * 11, (1, 3), *lengths):
            put(value, n)

    def one(symbol):
        """A code of one symbol, which takes no bits."""
        for value, n in ((1, 1), (0, 1), (1, 1), (symbol, 8)):
            put(value, n)

    for value, n in ((width - 1, 14), (height - 1, 14), (channels == 4, 1), (0, 3), (0, 1), (0, 1), (0, 1)):
        put(value, n)
    eight_bits((1, 1), (3, 3), (254, 8))  # green, of 280 symbols
    eight_bits((0, 1))
    eight_bits((0, 1))
    eight_bits((0, 1)) if channels == 4 else one(255)
    one(0)
    turned = [int("{:08b}".format(v)[::-1], 2) for v in range(256)]
    body = bytearray()
    for i in range(0, len(data), channels):
        for c in (1, 0, 2, 3)[:channels]:
            put(turned[data[i + c]], 8)
        whole = count // 8
        body += (bits & (1 << 8 * whole) - 1).to_bytes(whole, "little")
        bits, count = bits >> 8 * whole, count - 8 * whole
    body = b"\x2f" + bytes(body) + bits.to_bytes((count + 7) // 8, "little")
    part = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(part)) + b"WEBP" + part


def npy(data, shape, kind="|u1"):
    """A file of one array, as NumPy writes it, of these bytes."""
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + data


def images(folder):
    """Names of the PNG files in a folder."""
    return sorted(n for n in os.listdir(folder) if n.endswith(".png"))


def checkpoints(folder):
    """Steps of the checkpoints in a run folder, oldest first."""
    head, tail = "checkpoint-", ".safetensors"
    return sorted(int(n[len(head):-len(tail)]) for n in os.listdir(folder) if n.startswith(head) and n.endswith(tail))


def main(checks):
    """Run the functions of a module (its globals) whose names begin with check_, each in a folder of its own."""
    checks = [(n[6:], f) for n, f in checks.items() if n.startswith("check_") and inspect.isfunction(f)]
    wanted = sys.argv[1:] or [n for n, _ in checks]
    failed = skipped = 0
    for name, check in checks:
        if name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                check()
                print("%s: ok" % name)
            except Skip as why:
                skipped += 1
                print("%s: skipped: %s" % (name, why))
            except Exception:
                failed += 1
                print("%s: FAILED\n%s" % (name, traceback.format_exc()))
            finally:
                sys.stdout.flush()
                os.chdir("/")
    sys.exit(1 if failed else SKIPPED if skipped == len(wanted) else 0)
