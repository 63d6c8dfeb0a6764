/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG in, row by row: grey, RGB and CMYK, which becomes RGB. Progressive ones and those with a scan for each colour
 * are held by libjpeg as coefficients. A picture of which data is lost is an error, though libjpeg would paint over
 * it: a training set should not learn half-grey images.
 */
#include "base/alloc.h"
#include "image/codec.h"
#include "image/exif.h"
#include "image/guard.h"
#include "image/jpeg_warning.h"
#include "image/rows.h"

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

enum {
    SCANS_MOST = 100 /* a small file can ask for thousands, each a pass over the whole image */
};

struct decoding {
    struct mdm_rows base;
    struct mdm_guard guard;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    const unsigned char *bytes;
    size_t size;
    unsigned scanned; /* bit c: component c was in a scan */
    int started;      /* nothing but the header is read before the first row is asked for */
    int complete;     /* every row has come out */
    unsigned char *row;
};

/* Kinds of JPEG that libjpeg does not read, in plainer words than its own. */
static const struct {
    int code;
    const char *text; /* for the message's first number, where it takes one */
} unread[] = {
    {JERR_BAD_PRECISION, "JPEG: samples of %d bits, only 8 are read"},
    {JERR_SOF_UNSUPPORTED, "JPEG: a lossless, hierarchical or other kind (frame 0x%02x), only baseline, extended and "
                           "progressive ones are read"},
    {JERR_ARITH_NOTIMPL, "JPEG: arithmetic coding, which this system's libjpeg does not read"},
    {JERR_FRACT_SAMPLE_NOTIMPL, "JPEG: colours sampled in fractions, which libjpeg does not read"},
    {JERR_IMAGE_TOO_BIG, "JPEG: sides of up to %d pixels are read, a fixed limit of libjpeg"},
};

static _Noreturn void fail(struct decoding *d)
{
    const struct jpeg_error_mgr *e = &d->errors;
    char text[JMSG_LENGTH_MAX];

    for (size_t i = 0; i < MDM_LENGTH(unread); i++)
        if (unread[i].code == e->msg_code)
            mdm_guard_leave(&d->guard, mdm_fail(MASKDM_ENOTSUP, unread[i].text, e->msg_parm.i[0]));
    e->format_message((j_common_ptr)&d->jpeg, text);
    mdm_guard_leave(&d->guard,
                    mdm_fail(e->msg_code == JERR_OUT_OF_MEMORY ? MASKDM_ENOMEM : MASKDM_EFORMAT, "JPEG: %s", text));
}

/* Behind a complete picture stands something else than its end. */
static void stop(j_common_ptr jpeg)
{
    struct decoding *d = jpeg->client_data;

    if (!d->complete || jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
        fail(d);
    mdm_remark_add(&d->base.remarks, MDM_REMARK_NO_END, 1);
    mdm_guard_leave(&d->guard, MASKDM_OK);
}

static void hear(j_common_ptr jpeg, int level)
{
    struct decoding *d = jpeg->client_data;
    const int number = jpeg->err->msg_parm.i[0];
    const struct jpeg_source_mgr *src = d->jpeg.src;
    struct mdm_jpeg_place place = {.scans = d->jpeg.input_scan_number};

    if (level >= 0)
        return;
    place.ended = d->base.remarks.times[MDM_REMARK_NO_END] > 0;
    if (!place.ended && number > 0 && number <= src->next_input_byte - d->bytes)
        place.stray = src->next_input_byte - number;
    if (!mdm_jpeg_warning(&d->base.remarks, jpeg->err->msg_code, number, &place))
        fail(d);
}

static void stay_silent(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* Called before each step of reading coefficients that are held. */
static void watch_scans(j_common_ptr jpeg)
{
    struct decoding *d = jpeg->client_data;
    const struct jpeg_decompress_struct *j = &d->jpeg;

    if (j->input_scan_number > SCANS_MOST)
        mdm_guard_leave(&d->guard, mdm_fail(MASKDM_EFORMAT, "JPEG: more than %d scans", SCANS_MOST));
    for (int i = 0; i < j->comps_in_scan; i++)
        d->scanned |= 1u << j->cur_comp_info[i]->component_index;
}

/* An APP1 segment, looked at where it lies and then passed over. */
static boolean read_app1(j_decompress_ptr j)
{
    static const char name[6] = "Exif\0";
    struct decoding *d = j->client_data;
    const unsigned char *p = j->src->next_input_byte;
    size_t have = j->src->bytes_in_buffer, n = 2;

    if (have >= 2)
        n = (size_t)p[0] << 8 | p[1];
    if (have > n)
        have = n;
    if (!d->base.orientation && !j->input_scan_number && have > 2 + sizeof name && !memcmp(p + 2, name, sizeof name))
        d->base.orientation = mdm_exif_orientation(p + 2, have - 2);
    j->src->skip_input_data(j, n < 2 ? 2 : (long)n);
    return TRUE;
}

static int check_colours(struct decoding *d)
{
    struct jpeg_decompress_struct *j = &d->jpeg;
    const J_COLOR_SPACE from = j->jpeg_color_space;

    if (from == JCS_CMYK || from == JCS_YCCK)
        j->out_color_space = JCS_CMYK;
    else if (from == JCS_GRAYSCALE || from == JCS_YCbCr || from == JCS_RGB)
        j->out_color_space = from == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    else
        return mdm_fail(MASKDM_ENOTSUP, "JPEG: %d components of unknown colour", j->num_components);
    d->base.channels = from == JCS_GRAYSCALE ? 1 : 3;
    return MASKDM_OK;
}

/* Every 8 x 8 block costs at least one bit, but for arithmetic coding, so that a short file cannot justify large
 * allocations. What libjpeg holds is whole blocks of 16-bit coefficients. */
static int check_size(struct decoding *d)
{
    struct jpeg_decompress_struct *j = &d->jpeg;
    const int held = jpeg_has_multiple_scans(j);
    uint64_t bytes = 0, least = 0;

    if (held || !j->arith_code)
        least = (uint64_t)j->image_height * j->image_width / (8 * 64);
    MDM_TRY(mdm_rows_check_size(d->base.how, j->image_height, j->image_width, least, d->size));
    d->base.height = j->image_height;
    d->base.width = j->image_width;
    for (int c = 0; c < j->num_components; c++) {
        const jpeg_component_info *comp = &j->comp_info[c];
        const uint64_t across = (comp->width_in_blocks + (unsigned)comp->h_samp_factor - 1);
        const uint64_t down = (comp->height_in_blocks + (unsigned)comp->v_samp_factor - 1);

        bytes += across * down * DCTSIZE2 * sizeof(JCOEF);
    }
    return held ? mdm_rows_hold(&d->base, bytes, "progressive or with a scan for each colour") : MASKDM_OK;
}

static int begin(void *user)
{
    struct decoding *d = user;
    struct jpeg_decompress_struct *j = &d->jpeg;
    size_t row;

    jpeg_create_decompress(j);
    j->progress = &d->progress;
    jpeg_set_marker_processor(j, JPEG_APP0 + 1, read_app1);
    jpeg_mem_src(j, d->bytes, (unsigned long)d->size);
    (void)jpeg_read_header(j, TRUE);
    if (j->data_precision != 8)
        ERREXIT1(j, JERR_BAD_PRECISION, j->data_precision);
    MDM_TRY(check_colours(d));
    MDM_TRY(check_size(d));
    d->base.bits = 8;
    row = (size_t)j->image_width * (j->out_color_space == JCS_CMYK ? 4 : (size_t)d->base.channels);
    d->row = mdm_malloc(row);
    if (!d->row)
        return mdm_fail_memory(row, "a JPEG image");
    j->dct_method = JDCT_ISLOW;
    return MASKDM_OK;
}

/* Did every component have its scan, and, where no marker says that the file was meant to end, every bit of it? */
static int is_complete(const struct decoding *d)
{
    const struct jpeg_decompress_struct *j = &d->jpeg;

    if (jpeg_has_multiple_scans((j_decompress_ptr)j) && d->scanned + 1 != 1u << j->num_components)
        return 0;
    if (d->base.remarks.times[MDM_REMARK_NO_END] && j->coef_bits)
        for (int c = 0; c < j->num_components; c++)
            for (int k = 0; k < DCTSIZE2; k++)
                if (j->coef_bits[c][k] != 0)
                    return 0;
    return 1;
}

static int next_row(void *user)
{
    struct decoding *d = user;
    struct jpeg_decompress_struct *j = &d->jpeg;

    if (!d->started)
        (void)jpeg_start_decompress(j);
    d->started = 1;
    (void)jpeg_read_scanlines(j, &d->row, 1);
    if (j->output_scanline < j->output_height)
        return MASKDM_OK;
    if (!is_complete(d))
        return mdm_fail(MASKDM_EFORMAT, "JPEG: scans of the picture are missing");
    d->complete = 1;
    (void)jpeg_finish_decompress(j);
    if (!d->base.remarks.times[MDM_REMARK_NO_END] && j->src->bytes_in_buffer)
        mdm_remark_add(&d->base.remarks, MDM_REMARK_TRAILER, (int64_t)j->src->bytes_in_buffer);
    return MASKDM_OK;
}

/* As Pillow does it: four inks are taken as Adobe stores them, inverted, whether a marker says so or not. */
static void from_cmyk(uint16_t *to, const unsigned char *from, int64_t width)
{
    for (int64_t x = 0; x < width; x++, from += 4, to += 3)
        for (int c = 0; c < 3; c++) {
            unsigned ink = (255u - from[c]) * from[3] + 128, light = ((ink >> 8) + ink) >> 8;

            to[c] = (uint16_t)((from[3] - light) * 257);
        }
}

static int read_row(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    struct decoding *d = (struct decoding *)rows;
    const int64_t n = rows->width * rows->channels;

    *y = (int64_t)d->jpeg.output_scanline;
    MDM_TRY(mdm_guard_run(&d->guard, next_row, d));
    if (d->jpeg.out_color_space == JCS_CMYK)
        from_cmyk(to, d->row, rows->width);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (uint16_t)(d->row[i] * 257);
    return MASKDM_OK;
}

static void close_rows(struct mdm_rows *rows)
{
    struct decoding *d = (struct decoding *)rows;

    jpeg_destroy_decompress(&d->jpeg);
    mdm_free(d->row);
    mdm_free(d);
}

static const struct mdm_rows_class kind = {read_row, close_rows};

int mdm_rows_open_jpeg(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how)
{
    struct decoding *d = mdm_calloc(1, sizeof *d);

    *out = NULL;
    if (!d)
        return mdm_fail_memory(sizeof *d, "a JPEG image");
    d->base.kind = &kind;
    d->base.how = how;
    d->bytes = bytes;
    d->size = size;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = stop;
    d->errors.emit_message = hear;
    d->errors.output_message = stay_silent;
    d->progress.progress_monitor = watch_scans;
    *out = &d->base;
    return mdm_guard_run(&d->guard, begin, d);
}
