/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG in: baseline and progressive, grey and RGB. As in png.c one guarded function holds the jump target and no
 * variables. Corrupt data, which libjpeg would paper over with a warning, is an error here: a training set should
 * not learn half-grey images. Orientation tags are not looked at, as in the field's loaders.
 */
#include "io/codec.h"

#include "util/alloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

enum {
    SCANS_MOST = 100,          /* a small file can ask for thousands, each a pass over the whole image */
    MEMORY_MOST = 512 << 20    /* bytes for the decoder's own arrays */
};

struct decoding {
    jmp_buf jump;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    const unsigned char *bytes;
    size_t size;
    maskdm_image *image;
    unsigned char *row;
    struct maskdm_failure *f;
};

static void stop(j_common_ptr jpeg)
{
    struct decoding *d = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, text);
    maskdm_failure_set(d->f, jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? MASKDM_ENOMEM : MASKDM_EFORMAT, "JPEG: %s",
                       text);
    longjmp(d->jump, 1);
}

static void hear(j_common_ptr jpeg, int level)
{
    if (level < 0) /* a warning: corrupt data */
        stop(jpeg);
}

static void stay_silent(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void count_scans(j_common_ptr jpeg)
{
    struct decoding *d = jpeg->client_data;

    if (d->jpeg.input_scan_number > SCANS_MOST) {
        maskdm_failure_set(d->f, MASKDM_EFORMAT, "JPEG: more than %d scans", SCANS_MOST);
        longjmp(d->jump, 1);
    }
}

static int begin(struct decoding *d)
{
    struct jpeg_decompress_struct *j = &d->jpeg;
    uint64_t pixels;
    size_t row;
    int grey;

    jpeg_create_decompress(j);
    j->progress = &d->progress;
    j->mem->max_memory_to_use = MEMORY_MOST;
    jpeg_mem_src(j, d->bytes, (unsigned long)d->size);
    (void)jpeg_read_header(j, TRUE);
    grey = j->jpeg_color_space == JCS_GRAYSCALE;
    if (j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK)
        return maskdm_failure_set(d->f, MASKDM_ENOTSUP, "JPEG: CMYK colours are not read, only grey and RGB");
    if (!grey && j->jpeg_color_space != JCS_YCbCr && j->jpeg_color_space != JCS_RGB)
        return maskdm_failure_set(d->f, MASKDM_ENOTSUP, "JPEG: %d components of unknown colour", j->num_components);
    if (j->data_precision != 8)
        return maskdm_failure_set(d->f, MASKDM_ENOTSUP, "JPEG: %d bits a sample, only 8 are read",
                                  j->data_precision);
    /* Every 8 x 8 block costs at least one bit, so a short file cannot justify a large allocation. */
    pixels = (uint64_t)j->image_height * j->image_width; /* libjpeg: sides below 2^16 */
    if (pixels / (8 * 64) > d->size)
        return maskdm_failure_set(d->f, MASKDM_EFORMAT, "JPEG: %zu bytes cannot hold %u x %u pixels", d->size,
                                  j->image_height, j->image_width);
    MASKDM_TRY(maskdm_picture_create(&d->image, j->image_height, j->image_width, grey ? 1 : 3, d->f));
    d->image->bits = 8;
    row = (size_t)(d->image->width * d->image->channels);
    d->row = maskdm_malloc(row);
    if (!d->row)
        return maskdm_picture_memory(d->f, row, "a JPEG image");
    j->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    j->dct_method = JDCT_ISLOW;
    return MASKDM_OK;
}

static int work(struct decoding *d)
{
    int64_t n;

    MASKDM_TRY(begin(d));
    n = d->image->width * d->image->channels;
    (void)jpeg_start_decompress(&d->jpeg);
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        uint16_t *to = d->image->sample + n * d->jpeg.output_scanline;

        (void)jpeg_read_scanlines(&d->jpeg, &d->row, 1);
        for (int64_t i = 0; i < n; i++)
            to[i] = (uint16_t)(d->row[i] * 257);
    }
    (void)jpeg_finish_decompress(&d->jpeg);
    return MASKDM_OK;
}

static int guarded(struct decoding *d)
{
    if (setjmp(d->jump))
        return d->f->code;
    return work(d);
}

int maskdm_jpeg_decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f)
{
    struct decoding d;
    int r;

    memset(&d, 0, sizeof d);
    memset(f, 0, sizeof *f);
    *out = NULL;
    d.bytes = bytes;
    d.size = size;
    d.f = f;
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.jpeg.client_data = &d;
    d.errors.error_exit = stop;
    d.errors.emit_message = hear;
    d.errors.output_message = stay_silent;
    d.progress.progress_monitor = count_scans;
    r = guarded(&d);
    jpeg_destroy_decompress(&d.jpeg);
    maskdm_free(d.row);
    if (r < 0)
        maskdm_picture_free(&d.image);
    *out = d.image;
    return r;
}
