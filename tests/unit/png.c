/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG in and out: every colour type and depth, hostile and cut files, refused allocations.
 */
#include "base/alloc.h"
#include "image/codec.h"
#include "os/file.h"

#include <check.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { H = 11, W = 13 };

struct bytes {
    unsigned char data[1 << 15];
    size_t size;
};

static void append(png_structp png, png_bytep from, size_t n)
{
    struct bytes *b = png_get_io_ptr(png);

    ck_assert_uint_le(b->size + n, sizeof b->data);
    memcpy(b->data + b->size, from, n);
    b->size += n;
}

static int channels_of(int type)
{
    int alpha = type == PNG_COLOR_TYPE_GRAY_ALPHA || type == PNG_COLOR_TYPE_RGB_ALPHA;

    return (type == PNG_COLOR_TYPE_RGB || type == PNG_COLOR_TYPE_RGB_ALPHA ? 3 : 1) + alpha;
}

/* What stands in the file at sample i of a row: all bits of `depth` are used. */
static unsigned value(int y, int i, int depth)
{
    return (unsigned)(y * 7919 + i * 104729 + y * i * 31) & ((1u << depth) - 1);
}

static void encode(struct bytes *out, int type, int depth, int interlace, int transparent)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    unsigned char row[H][W * 8] = {{0}}, *rows[H];
    png_color palette[256];
    unsigned char alpha[256];

    out->size = 0;
    png_set_write_fn(png, out, append, NULL);
    png_set_IHDR(png, info, W, H, depth, type, interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        for (int i = 0; i < 1 << depth; i++) {
            palette[i] = (png_color){(png_byte)(i * 3), (png_byte)(255 - i), (png_byte)(i ^ 90)};
            alpha[i] = (png_byte)(i * 5);
        }
        png_set_PLTE(png, info, palette, 1 << depth);
        if (transparent)
            png_set_tRNS(png, info, alpha, 1 << depth, NULL);
    } else if (transparent) {
        png_color_16 key = {0};

        key.gray = key.red = (png_uint_16)value(2, 0, depth);
        key.green = (png_uint_16)value(2, 1, depth);
        key.blue = (png_uint_16)value(2, 2, depth);
        png_set_tRNS(png, info, NULL, 0, &key);
    }
    for (int y = 0; y < H; y++) {
        rows[y] = row[y];
        for (int i = 0; i < W * channels_of(type); i++) {
            unsigned v = value(y, i, depth);

            if (depth == 16) {
                row[y][2 * i] = (unsigned char)(v >> 8);
                row[y][2 * i + 1] = (unsigned char)v;
            } else {
                row[y][i * depth / 8] |= (unsigned char)(v << (8 - depth - i * depth % 8));
            }
        }
    }
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);
}

static const struct {
    int type, depth, transparent;
} kind[] = {
    {PNG_COLOR_TYPE_GRAY, 1, 0}, {PNG_COLOR_TYPE_GRAY, 2, 0}, {PNG_COLOR_TYPE_GRAY, 4, 0},
    {PNG_COLOR_TYPE_GRAY, 8, 0}, {PNG_COLOR_TYPE_GRAY, 16, 0}, {PNG_COLOR_TYPE_GRAY, 8, 1},
    {PNG_COLOR_TYPE_GRAY, 16, 1},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0}, {PNG_COLOR_TYPE_GRAY_ALPHA, 16, 0}, {PNG_COLOR_TYPE_RGB, 8, 0},
    {PNG_COLOR_TYPE_RGB, 16, 0}, {PNG_COLOR_TYPE_RGB, 8, 1}, {PNG_COLOR_TYPE_RGB, 16, 1},
    {PNG_COLOR_TYPE_RGB_ALPHA, 8, 0}, {PNG_COLOR_TYPE_RGB_ALPHA, 16, 0}, {PNG_COLOR_TYPE_PALETTE, 1, 0},
    {PNG_COLOR_TYPE_PALETTE, 2, 1}, {PNG_COLOR_TYPE_PALETTE, 4, 0}, {PNG_COLOR_TYPE_PALETTE, 8, 1},
};

/* The u16 sample that the decoder must give for channel c of pixel (y, x). */
static unsigned expected(int k, int y, int x, int c)
{
    int depth = kind[k].depth, n = channels_of(kind[k].type), same = 1;
    unsigned v = value(y, x * n, depth);

    if (kind[k].type == PNG_COLOR_TYPE_PALETTE)
        return 257 * (c == 0 ? v * 3 & 255 : c == 1 ? 255 - v : c == 2 ? v ^ 90 : v * 5 & 255);
    if (c == n) { /* the added alpha channel */
        for (int i = 0; i < n; i++)
            same &= value(y, x * n + i, depth) == value(2, i, depth);
        return same ? 0 : 65535;
    }
    return value(y, x * n + c, depth) * 65535 / ((1u << depth) - 1);
}

static int decode(maskdm_image **out, const struct bytes *b)
{
    mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
    return mdm_image_decode(out, b->data, b->size, &mdm_reading_standard);
}

START_TEST(every_kind)
{
    static struct bytes b;
    maskdm_image *m;
    int n = kind[_i].type == PNG_COLOR_TYPE_PALETTE ? 3 : channels_of(kind[_i].type);

    n += kind[_i].transparent;
    for (int interlace = 0; interlace < 2; interlace++) {
        encode(&b, kind[_i].type, kind[_i].depth, interlace, kind[_i].transparent);
        ck_assert_msg(decode(&m, &b) == MASKDM_OK, "%s", mdm_error_text());
        ck_assert_int_eq(m->height, H);
        ck_assert_int_eq(m->width, W);
        ck_assert_int_eq(m->channels, n);
        ck_assert_int_eq(m->bits, kind[_i].depth == 16 ? 16 : 8);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < n; c++)
                    ck_assert_uint_eq(m->sample[(y * W + x) * n + c], expected(_i, y, x, c));
        mdm_image_free(&m);
    }
}
END_TEST

/* Only the end chunk, 12 bytes, may be missing. */
START_TEST(every_cut_into_the_picture_is_an_error)
{
    static struct bytes b, cut;
    long before = mdm_alloc_live();
    maskdm_image *m, *whole;

    encode(&b, kind[_i].type, kind[_i].depth, _i % 2, kind[_i].transparent);
    for (size_t n = 0; n < b.size; n++) {
        memcpy(cut.data, b.data, n);
        cut.size = n;
        if (n < b.size - 12) {
            ck_assert_int_eq(decode(&m, &cut), MASKDM_EFORMAT);
            ck_assert_ptr_null(m);
            ck_assert_int_gt(strlen(mdm_error_text()), 0);
        } else {
            ck_assert_msg(decode(&m, &cut) == MASKDM_OK, "%s", mdm_error_text());
            ck_assert_str_eq(m->remark, "no end marker behind the whole picture");
            ck_assert_int_eq(decode(&whole, &b), MASKDM_OK);
            ck_assert_str_eq(whole->remark, "");
            ck_assert_mem_eq(m->sample, whole->sample, (size_t)(H * W * m->channels) * sizeof *m->sample);
            mdm_image_free(&whole);
            mdm_image_free(&m);
        }
        ck_assert_int_eq(mdm_alloc_live(), before);
    }
}
END_TEST

START_TEST(no_flipped_bit_crashes)
{
    static struct bytes b;
    long before = mdm_alloc_live();
    maskdm_image *m;

    encode(&b, kind[_i].type, kind[_i].depth, 1, kind[_i].transparent);
    for (size_t n = 0; n < 8 * b.size; n++) {
        b.data[n / 8] ^= (unsigned char)(1 << n % 8);
        if (decode(&m, &b) < 0)
            ck_assert_ptr_null(m);
        mdm_image_free(&m);
        b.data[n / 8] ^= (unsigned char)(1 << n % 8);
        ck_assert_int_eq(mdm_alloc_live(), before);
    }
}
END_TEST

static uint32_t crc(const unsigned char *p, size_t n)
{
    uint32_t c = 0xffffffff;

    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    }
    return c ^ 0xffffffff;
}

/* A header that promises more pixels than the file can hold, with a right checksum. */
START_TEST(promised_pixels_are_not_believed)
{
    static const struct { unsigned height, width; int code; } size[] = {
        {65535, 65535, MASKDM_EFORMAT}, {8000, 8000, MASKDM_EFORMAT}, {65536, 1, MASKDM_ENOTSUP},
        {0, 5, MASKDM_EFORMAT}, {5, 0, MASKDM_EFORMAT}, {0x7fffffff, 0x7fffffff, MASKDM_ENOTSUP}};
    static struct bytes b;
    maskdm_image *m;
    uint32_t sum;

    encode(&b, PNG_COLOR_TYPE_RGB_ALPHA, 16, 0, 0);
    for (int i = 0; i < 4; i++) {
        b.data[16 + i] = (unsigned char)(size[_i].width >> (24 - 8 * i));
        b.data[20 + i] = (unsigned char)(size[_i].height >> (24 - 8 * i));
    }
    sum = crc(b.data + 12, 17);
    for (int i = 0; i < 4; i++)
        b.data[29 + i] = (unsigned char)(sum >> (24 - 8 * i));
    ck_assert_int_eq(decode(&m, &b), size[_i].code);
    ck_assert_ptr_null(m);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(every_refused_allocation_is_reported)
{
    static struct bytes b;
    long before = mdm_alloc_live();
    maskdm_image *m;
    int r = -1;

    encode(&b, kind[_i].type, kind[_i].depth, 1, kind[_i].transparent);
    for (int i = 0; r < 0; i++) {
        int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 100);
        mdm_alloc_hook_set(&hook);
        r = decode(&m, &b);
        mdm_alloc_hook_set(NULL);
        if (r < 0) {
            ck_assert_int_eq(r, MASKDM_ENOMEM);
            ck_assert_ptr_nonnull(strstr(mdm_error_text(), "cannot allocate"));
            ck_assert_int_eq(mdm_alloc_live(), before);
        }
    }
    mdm_image_free(&m);
}
END_TEST

static maskdm_image *pattern(int channels)
{
    maskdm_image *m;

    ck_assert_int_eq(mdm_image_create(&m, H, W, channels), MASKDM_OK);
    for (int i = 0; i < H * W * channels; i++)
        m->sample[i] = (uint16_t)(i * 7919);
    return m;
}

START_TEST(what_is_written_reads_back)
{
    const char *path[2] = {"unit_png_a.png", "unit_png_b.png"};
    char *bytes[2];
    size_t size[2];

    for (int channels = 1; channels <= 4; channels++)
        for (int bits = 8; bits <= 16; bits += 8) {
            maskdm_image *m = pattern(channels), *n;

            for (int k = 0; k < 2; k++) {
                ck_assert_msg(!mdm_image_write_png(m, path[k], bits), "%s", mdm_error_text());
                ck_assert_int_eq(mdm_file_read_all(&bytes[k], &size[k], path[k], 1 << 20), MASKDM_OK);
            }
            ck_assert_uint_eq(size[0], size[1]);
            ck_assert_mem_eq(bytes[0], bytes[1], size[0]);
            ck_assert_int_eq(mdm_image_read(&n, path[0], &mdm_reading_standard), MASKDM_OK);
            ck_assert_int_eq(n->channels, channels);
            ck_assert_int_eq(n->bits, bits);
            for (int i = 0; i < H * W * channels; i++)
                ck_assert_int_eq(n->sample[i], bits == 16 ? m->sample[i] : (m->sample[i] + 128) / 257 * 257);
            for (int k = 0; k < 2; k++)
                mdm_free(bytes[k]);
            mdm_image_free(&m);
            mdm_image_free(&n);
        }
    unlink(path[0]);
    unlink(path[1]);
}
END_TEST

static int fail_write(void *user, const char *operation, const char *path)
{
    (void)path;
    return strcmp(operation, user) ? 0 : 28; /* ENOSPC */
}

START_TEST(a_failed_write_leaves_the_old_file)
{
    static const char *const operation[] = {"open", "write", "fsync", "rename"};
    char name[16];
    struct mdm_file_hook hook = {fail_write, name};
    maskdm_image *m = pattern(3), *n;
    int left = 0;
    struct mdm_alloc_hook refuse = {refuse_at, &left};
    long before;

    ck_assert_int_eq(mdm_image_write_png(m, "unit_png_old.png", 16), MASKDM_OK);
    before = mdm_alloc_live();
    for (size_t i = 0; i < MDM_LENGTH(operation); i++) {
        strcpy(name, operation[i]);
        mdm_file_hook_set(&hook);
        ck_assert_int_eq(mdm_image_write_png(m, "unit_png_old.png", 8), MASKDM_EIO);
        mdm_file_hook_set(NULL);
        ck_assert_ptr_nonnull(strstr(mdm_error_text(), "unit_png_old.png"));
        ck_assert_int_eq(mdm_alloc_live(), before);
    }
    for (int i = 0, r = -1; r < 0; i++) {
        left = i;
        mdm_alloc_hook_set(&refuse);
        r = mdm_image_write_png(m, "unit_png_new.png", 8);
        mdm_alloc_hook_set(NULL);
        ck_assert_int_eq(mdm_alloc_live(), before);
        ck_assert(r == MASKDM_ENOMEM || r == MASKDM_OK);
        ck_assert_int_lt(i, 100);
    }
    ck_assert_int_eq(mdm_image_read(&n, "unit_png_old.png", &mdm_reading_standard), MASKDM_OK);
    ck_assert_int_eq(n->bits, 16);
    mdm_image_free(&n);
    mdm_image_free(&m);
    unlink("unit_png_old.png");
    unlink("unit_png_new.png");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("png");
    TCase *t = tcase_create("png");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, every_kind, 0, (int)MDM_LENGTH(kind));
    tcase_add_loop_test(t, every_cut_into_the_picture_is_an_error, 0, (int)MDM_LENGTH(kind));
    tcase_add_loop_test(t, no_flipped_bit_crashes, 0, (int)MDM_LENGTH(kind));
    tcase_add_loop_test(t, promised_pixels_are_not_believed, 0, 6);
    tcase_add_loop_test(t, every_refused_allocation_is_reported, 0, (int)MDM_LENGTH(kind));
    tcase_add_test(t, what_is_written_reads_back);
    tcase_add_test(t, a_failed_write_leaves_the_old_file);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
