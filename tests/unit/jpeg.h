/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG files for tests, of one smooth picture.
 */
#ifndef MASKDM_TESTS_UNIT_JPEG_H
#define MASKDM_TESTS_UNIT_JPEG_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { H = 21, W = 35 };

static int value(int y, int x, int c)
{
    return 40 + 4 * y + 2 * x + 20 * c; /* smooth, so that little is lost */
}

struct form {
    int channels;
    int scans;     /* 0: baseline, 1: progressive, more: so many of one component's coefficients */
    int transform; /* of Adobe's marker, 4 channels; -1: no marker */
    int restart;   /* blocks between restart markers; 0: none */
    int separate;  /* a scan for each component */
};

static unsigned char *encode_form(unsigned long *size, struct form form)
{
    const int channels = form.channels, scans = form.scans;
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr e;
    static jpeg_scan_info script[160];
    unsigned char row[W * 4], *rows[1] = {row}, *out = NULL;

    *size = 0;
    j.err = jpeg_std_error(&e);
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &out, size);
    j.image_height = H;
    j.image_width = W;
    j.input_components = channels;
    j.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&j);
    if (form.transform == 2)
        jpeg_set_colorspace(&j, JCS_YCCK);
    if (form.transform == -1)
        j.write_Adobe_marker = FALSE;
    jpeg_set_quality(&j, 98, TRUE);
    if (scans == 1)
        jpeg_simple_progression(&j);
    for (int i = 0; i < scans && scans > 1; i++) /* DC, then each coefficient, then its last bit */
        script[i] = i == 0 ? (jpeg_scan_info){1, {0}, 0, 0, 0, 0}
                  : i <= 63 ? (jpeg_scan_info){1, {0}, i, i, 0, 1}
                            : (jpeg_scan_info){1, {0}, i - 63, i - 63, 1, 0};
    for (int c = 0; c < channels && form.separate; c++)
        script[c] = (jpeg_scan_info){1, {c}, 0, 63, 0, 0};
    if (scans > 1 || form.separate) {
        j.scan_info = script;
        j.num_scans = form.separate ? channels : scans;
    }
    j.restart_interval = (unsigned)form.restart;
    jpeg_start_compress(&j, TRUE);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++)
                row[x * channels + c] = (unsigned char)value(y, x, c);
        jpeg_write_scanlines(&j, rows, 1);
    }
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    return out;
}

static inline unsigned char *encode(unsigned long *size, int channels, int scans)
{
    return encode_form(size, (struct form){.channels = channels, .scans = scans});
}

/* The next marker, segment by segment and over compressed data; behind EOI: size. */
static inline size_t next_marker(const unsigned char *bytes, size_t size, size_t at)
{
    int code = bytes[at + 1];

    at += 2;
    if (code == 0xd8)
        return at;
    if (code == 0xd9)
        return size;
    if (code < 0xd0 || code > 0xd7)
        at += (size_t)bytes[at] << 8 | bytes[at + 1];
    if (code == 0xda || (code >= 0xd0 && code <= 0xd7))
        while (bytes[at] != 0xff || !bytes[at + 1])
            at++;
    return at;
}

#endif
