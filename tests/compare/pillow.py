# SPDX-License-Identifier: BSD-2-Clause
"""Image files as the library reads them, beside Pillow: pillow.py LIBRARY [FOLDER...]

Each PNG and JPEG file below the folders is read with its own channels, and fitted to 64 x 64 x 3; every sample is
compared. Differences are counted by their known reasons (doc/numerics.md); those without a reason are printed and
fail. A file that one side reads and the other does not is counted too. Without folders Pillow makes files in all its
modes. Without Pillow and numpy nothing is compared: exit status 77."""
import collections
import ctypes
import io
import os
import sys
import tempfile
import warnings

try:
    import numpy
    from PIL import Image, ImageFile, ImageOps
except ImportError:
    print("Pillow and numpy are not installed: nothing compared")
    sys.exit(77)

SIZE = 64
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".apng", ".mpo")
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.maskdm_last_error.restype = ctypes.c_char_p
        self.c.maskdm_image_remark.restype = ctypes.c_char_p
        for name in ("height", "width"):
            getattr(self.c, "maskdm_image_" + name).restype = ctypes.c_int64
        self.c.maskdm_image_fit.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]

    def take(self, image):
        h, w = self.c.maskdm_image_height(image), self.c.maskdm_image_width(image)
        out = numpy.empty((h, w, self.c.maskdm_image_channels(image)), numpy.uint16)
        assert self.c.maskdm_image_copy(image, 1, out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(0)) == 0
        return out

    def read(self, path, channels, fit=None):
        """(samples, remark), or (None, the error)."""
        image, fitted = ctypes.c_void_p(), ctypes.c_void_p()
        if self.c.maskdm_image_read(ctypes.byref(image), os.fsencode(path), channels, None) < 0:
            return None, self.c.maskdm_last_error().decode(errors="replace")
        remark = self.c.maskdm_image_remark(image).decode()
        if fit:
            assert self.c.maskdm_image_fit(ctypes.byref(fitted), image, fit, fit) == 0
        out = self.take(fitted if fit else image)
        self.c.maskdm_image_release(ctypes.byref(image))
        self.c.maskdm_image_release(ctypes.byref(fitted))
        return out, remark


def upright(image):
    """EXIF's orientation alone; Pillow follows XMP's too."""
    value = image.getexif().get(0x0112, 1) if b"Exif" in image.info.get("exif", b"") else 1
    way = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(value)
    return image.transpose(Image.Transpose(way)) if way is not None else image


def whole(image):
    """u16 samples with the file's channels, as Pillow sees the file."""
    mode = image.mode
    if mode.startswith("I"):
        return numpy.asarray(image.convert("I")).astype(numpy.uint16)[:, :, None]
    if mode in ("P", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or mode == "PA" else "RGB")
    elif mode == "CMYK":
        image = image.convert("RGB")
    elif "transparency" in image.info and mode in ("1", "L", "RGB"):
        image = image.convert("RGBA" if mode == "RGB" else "LA")
    elif mode == "1":
        image = image.convert("L")
    out = numpy.asarray(image).astype(numpy.uint16) * 257
    return out if out.ndim == 3 else out[:, :, None]


def agree(ours, theirs, bits, mode, said):
    """(equal, the reason why it is compared in another form than the file's)."""
    if "transparency" in said and theirs.shape[2] == ours.shape[2] + 1:
        return (ours == theirs[:, :, :-1]).all(), "transparency that PNG does not allow is followed by Pillow"
    if bits == 16 and ours.shape[2] == 2 and theirs.shape[2] == 4:
        return (ours[:, :, [0, 0, 0, 1]] >> 8 == theirs // 257).all(), "grey and alpha of 16 bits are RGBA of 8 in Pillow"
    if bits == 16 and ours.shape[2] == 2 and theirs.shape[2] == 1:
        return (ours[:, :, :1] == theirs).all(), "a transparent grey of 16 bits is not looked at by Pillow"
    if ours.shape != theirs.shape:
        return False, None
    if bits == 16 and ours.shape[2] > 1:
        return (ours >> 8 == theirs // 257).all(), "of 16 bits in colours Pillow keeps the upper 8"
    if bits < 8 and mode in ("1", "L") and ours.shape[2] == 2:
        return ((ours == theirs)[:, :, 0].all(),
                "a transparent grey of less than 8 bits is compared by Pillow with scaled samples")
    return (ours == theirs).all(), None


def fitted(samples):
    """64 x 64 x 3 from opaque 8-bit samples, as a folder does it."""
    image = Image.fromarray((samples[:, :, 0] if samples.shape[2] == 1 else samples).astype(numpy.uint8)).convert("RGB")
    w, h = image.size
    if SIZE * w >= SIZE * h:
        w, h = (2 * w * SIZE + h) // (2 * h), SIZE
    else:
        w, h = SIZE, (2 * h * SIZE + w) // (2 * w)
    left, top = [(e + (e % 4 == 3)) // 2 for e in (w - SIZE, h - SIZE)]
    for size in ((w, image.height), (w, h)):  # in this order: Pillow 13 scales tall pictures the other way round
        image = image.resize(size, Image.Resampling.BICUBIC)
    return numpy.asarray(image)[top:top + SIZE, left:left + SIZE]


def header_bits(path):
    """Bits a sample of a PNG, else 8."""
    head = open(path, "rb").read(26)
    return head[24] if head[:4] == b"\x89PNG" else 8


def compare_file(library, path, count, bad):
    ours, said = library.read(path, 0)
    try:
        data = open(path, "rb").read()
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "MPO"))
        image.load()
    except Exception as e:  # Pillow raises what it likes
        image, reason = None, "%s: %s" % (type(e).__name__, e)
    if ours is None or image is None:
        if ours is None and image is None:
            count["neither reads"] += 1
        elif ours is None:
            count["Pillow alone reads"] += 1
            print("Pillow alone: %s" % said)
        else:
            count["we alone read"] += 1
            print("we alone: %s: %s%s" % (path, reason, " [%s]" % said if said else ""))
        return
    count["both read"] += 1
    if said:
        count["read with a remark"] += 1
        for part in said.split(", "):
            count["  remark: " + "".join("N" if c.isdigit() else c for c in part).replace("NN", "N")] += 1
    bits = header_bits(path)
    theirs = whole(upright(image))
    same, reason = agree(ours, theirs, bits, image.mode, said)
    if not same:
        bad.append("%s (%s): %s against %s%s" % (
            path, image.mode, ours.shape, theirs.shape, "" if ours.shape != theirs.shape else ", %d samples, at most %d" % (
                (ours != theirs).sum(), abs(ours.astype(int) - theirs.astype(int)).max())))
        return
    count["equal"] += 1
    if reason:
        count["  but " + reason] += 1
    if ours.shape[2] % 2 and bits <= 8:
        small, _ = library.read(path, 3, SIZE)
        if (small // 257 == fitted(ours // 257)).all():
            count["equal when fitted to %d x %d x 3" % (SIZE, SIZE)] += 1
        else:
            bad.append("%s: fitted otherwise" % path)


def generate(top):
    """Every mode that Pillow writes, with the options that change the file's form."""
    random = numpy.random.default_rng(1)
    for side, (w, h) in enumerate(((1, 1), (7, 5), (64, 64), (33, 190), (300, 41))):
        noise = Image.fromarray(random.integers(0, 256, (h, w, 4), dtype=numpy.uint8), "RGBA")
        smooth = noise.resize((3, 3)).resize((w, h), Image.Resampling.BICUBIC)
        wide = Image.fromarray(random.integers(0, 65536, (h, w), dtype=numpy.uint16))
        for k, image in enumerate((noise, smooth)):
            name = os.path.join(top, "%d-%d-" % (side, k))
            for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
                image.convert(mode).save(name + mode + ".png")
            image.convert("RGB").quantize(5).save(name + "P3.png", bits=4, transparency=2)
            image.convert("L").save(name + "Lt.png", transparency=int(numpy.asarray(image.convert("L"))[0, 0]))
            image.convert("RGB").save(name + "RGBt.png", transparency=image.getpixel((0, 0))[:3])
            for mode in ("L", "RGB", "CMYK", "YCbCr"):
                for form, options in enumerate(({}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1},
                                                {"quality": 20, "optimize": True}, {"restart_marker_rows": 1})):
                    image.convert("RGB").convert(mode).save("%s%s-%d.jpg" % (name, mode, form), **options)
            for orientation in range(9):
                exif = Image.Exif()
                exif[0x0112] = orientation
                image.convert("RGB").save("%so%d.jpg" % (name, orientation), exif=exif, progressive=orientation % 2)
                image.save("%so%d.png" % (name, orientation), exif=exif)
        wide.save(os.path.join(top, "%d-16.png" % side))


def main(library, folders):
    if not folders:
        with tempfile.TemporaryDirectory() as top:
            generate(top)
            return main(library, [top])
    count, bad = collections.Counter(), []
    library = Library(library)
    for top in folders:
        for folder, below, names in sorted(os.walk(top)):
            for name in sorted(names):
                if name.lower().endswith(SUFFIXES):
                    compare_file(library, os.path.join(folder, name), count, bad)
    for what in sorted(count):
        print("%7d %s" % (count[what], what))
    print("\n".join(bad) or "no difference without a reason")
    return bool(bad)


sys.exit(main(sys.argv[1], sys.argv[2:]))
