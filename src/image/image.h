/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Decoded images and the files they come from. u16 samples, H x W x C, channel innermost.
 */
#ifndef MASKDM_IMAGE_IMAGE_H
#define MASKDM_IMAGE_IMAGE_H

#include <maskdm/image.h>

#include "image/remark.h"

struct mdm_writer;

/* What a PNG file says of itself: key of 1 to 79 printable characters of ASCII, text UTF-8. */
struct mdm_png_text {
    const char *key, *text;
};

/* What a picture is where it is stored, the right way up. */
struct mdm_image_form {
    int64_t height, width;
    int channels, bits; /* 0: it was read from nowhere */
};
/* What people call a picture of 1 to 4 channels: "grey", "RGBA". */
const char *mdm_image_mode(int channels);

struct maskdm_image {
    int64_t height, width;
    int channels;
    int bits; /* 8 when every sample is a multiple of 257 because the source had 8 bits; else 16 */
    uint16_t *sample;
    struct mdm_image_form stored;
    struct mdm_remarks remarks;      /* on the file that it was read from */
    char remark[256];                /* the same in words */
    const struct mdm_png_text *text; /* to be said where it is written, up to a NULL key; borrowed; NULL: nothing */
};

/* How a picture is scaled, and what of it then makes one of another shape. */
enum mdm_filter { MDM_FILTER_BICUBIC, MDM_FILTER_AREA, MDM_FILTER_NEAREST };
enum mdm_cut {
    MDM_CUT_CENTRE,  /* the middle of one that covers */
    MDM_CUT_NOTHING, /* all, squeezed */
    MDM_CUT_PAD      /* all, with the background around it; transparent where there is alpha */
};

/* How a file is to be read. */
struct mdm_reading {
    int channels;          /* 1 to 4; 0: the file's own */
    float background[3];   /* under transparency that is not wanted, 0 .. 1 */
    int as_stored;         /* do not follow EXIF's orientation */
    int64_t pixels;        /* most height x width */
    size_t memory;         /* most bytes to hold where a file's form wants the whole picture at once */
    int64_t height, width; /* to fit the picture to, see maskdm_image_fit(); 0: as it is */
    enum mdm_filter filter;
    enum mdm_cut cut;
};
extern const struct mdm_reading mdm_reading_standard; /* the file's channels, white, the default limits */

/* All of these may run on a worker thread; the line of a failure is that thread's. */
int mdm_image_create(maskdm_image **out, int64_t height, int64_t width, int channels);
void mdm_image_free(maskdm_image **image);
/* PNG, JPEG or WebP, told apart by the first bytes, held as a whole beside the result where its form asks for it. */
int mdm_image_read(maskdm_image **out, const char *path, const struct mdm_reading *how);
int mdm_image_decode(maskdm_image **out, const void *bytes, size_t size, const struct mdm_reading *how);
/* Whether something of the picture that a file is, or that samples are, is not opaque: 1 or 0. */
int mdm_image_is_transparent(const void *bytes, size_t size);
int mdm_image_samples_are_transparent(const void *samples, int64_t pixels, int channels, int bits);
/* The same of samples: height x width x channels of 8 or 16 bits, in the host's order. */
int mdm_image_of_samples(maskdm_image **out, const void *samples, int64_t height, int64_t width, int channels,
                         int bits, const struct mdm_reading *how);
/* Whether a file that can be read begins as a PNG, JPEG or WebP does; the rest of it is not looked at. */
int mdm_image_probe(const char *path);
/* Short side scaled to cover height x width, then the centre; see maskdm_image_fit(). */
int mdm_image_fit(maskdm_image **out, const maskdm_image *image, int64_t height, int64_t width);
int mdm_image_write_png(const maskdm_image *image, const char *path, int bits);
/* Into an open writer, committed or abandoned in every case. bits: 8 or 16. */
int mdm_image_encode_png(const maskdm_image *image, struct mdm_writer **writer, int bits);
int mdm_image_grid(maskdm_image **out, const maskdm_image *const *image, int64_t count, int64_t columns);
/* The same in two steps, so that what a grid cannot be is known before there are images: a white sheet for `count` of
 * them, *columns in a row (0 becomes near square), and an image in its place. */
int mdm_image_sheet(maskdm_image **out, int64_t count, int64_t *columns, int64_t height, int64_t width, int channels);
void mdm_image_place(maskdm_image *sheet, const maskdm_image *image, int64_t i, int64_t columns);

#endif
