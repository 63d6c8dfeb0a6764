/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An image file as rows: what stands between the decoders and what is made of a picture, so that a large one is
 * never in memory as a whole where its form allows. A decoder is a class of two functions and a struct that begins
 * with struct mdm_rows; it prints nothing, never ends the process, and may run on a worker thread.
 */
#ifndef MASKDM_IMAGE_ROWS_H
#define MASKDM_IMAGE_ROWS_H

#include "image/image.h"

struct mdm_rows;

struct mdm_rows_class {
    /* The next row, u16, width x channels; *y is its place from the top. The last row is only given once the rest of
     * the file has turned out to be sound. */
    int (*read)(struct mdm_rows *rows, int64_t *y, uint16_t *to);
    void (*close)(struct mdm_rows *rows); /* let go of what the class holds, the struct itself too */
};

struct mdm_rows {
    const struct mdm_rows_class *kind;
    const struct mdm_reading *how;
    int64_t height, width;
    int channels, bits; /* as in struct maskdm_image */
    int orientation;    /* EXIF's, 1 to 8; 0: the file says nothing */
    size_t held;        /* bytes of whole pictures that are held */
    struct mdm_remarks remarks;
};

/* PNG, JPEG or WebP, told apart by the first bytes, and the right way up. `bytes` and `how` must stay in place. */
int mdm_rows_open(struct mdm_rows **out, const void *bytes, size_t size, const struct mdm_reading *how);
/* Whether a file that begins with these bytes is one of them. */
enum { MDM_ROWS_HEAD = 12 }; /* bytes that tell */
int mdm_rows_probe(const void *bytes, size_t size);
/* Each row once, from the top down or from the bottom up. Not more often than `height` times. */
int mdm_rows_read(struct mdm_rows *rows, int64_t *y, uint16_t *to);
void mdm_rows_close(struct mdm_rows **rows); /* NULL inside is fine */
/* All of them as a picture, with the channels and the size that rows->how asks for. Closes them in every case. */
int mdm_image_of_rows(maskdm_image **out, struct mdm_rows *rows);

/* ---- for classes ---- */

/* Where they fail, what they leave in *out is closed. In a build without libjpeg or libwebp theirs say so. */
int mdm_rows_open_png(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how);
int mdm_rows_open_jpeg(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how);
int mdm_rows_open_webp(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how);
/* Put a turning class before the rows where EXIF wants another way up than the stored one. */
int mdm_rows_turn(struct mdm_rows **rows);

/* Is the picture within the limits, and is the file, of `size` bytes, as large as the `least` that such a picture
 * takes? A decoder asks before it allocates anything of the picture's size. */
int mdm_rows_check_size(const struct mdm_reading *how, uint64_t height, uint64_t width, uint64_t least, size_t size);
/* Count a whole picture of `bytes` that must be held since it is `what`, within the limit. */
int mdm_rows_hold(struct mdm_rows *rows, uint64_t bytes, const char *what);

#endif
