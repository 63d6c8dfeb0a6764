/* SPDX-License-Identifier: BSD-2-Clause
 *
 * EXIF's orientation: found, refused, ignored; and pictures turned by it.
 */
#include "image/exif.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/resize.h"
#include "picture.h"

#include <check.h>
#include <stdint.h>

enum { PREFIX = 6, EXIF = PREFIX + 8 + 2 + 2 * 12 + 4 };

static unsigned char *put(unsigned char *p, unsigned long v, int width, int big)
{
    for (int i = 0; i < width; i++)
        p[i] = (unsigned char)(v >> 8 * (big ? width - 1 - i : i));
    return p + width;
}

/* "Exif\0\0", a header, and a list of two entries of which the second is the orientation. */
static void make(unsigned char out[EXIF], int big, int type, unsigned long count, unsigned long orientation)
{
    unsigned char *p = out;

    memset(out, 0, EXIF);
    memcpy(p, "Exif\0", PREFIX);
    memcpy(p + PREFIX, big ? "MM" : "II", 2);
    p = put(p + PREFIX + 2, 42, 2, big);
    p = put(p, 8, 4, big);
    p = put(p, 2, 2, big);
    p = put(p, 0x010f, 2, big);
    p = put(p, 2, 2, big);
    p = put(p, 4, 4, big);
    p = put(p, 0x41424300, 4, big);
    p = put(p, 0x0112, 2, big);
    p = put(p, (unsigned long)type, 2, big);
    p = put(p, count, 4, big);
    put(p, orientation, type == 3 ? 2 : type == 1 ? 1 : 4, big);
}

/* From memory of its own size, so that a sanitizer sees reads behind the end. */
static int orientation_of(const unsigned char *bytes, size_t n)
{
    unsigned char *own = malloc(n + 1);
    int found;

    memcpy(own + 1, bytes, n);
    found = mdm_exif_orientation(own + 1, n);
    free(own);
    return found;
}

START_TEST(both_byte_orders_and_three_types)
{
    static const int types[] = {1, 3, 4};
    unsigned char e[EXIF];

    for (unsigned v = 0; v < 12; v++) {
        make(e, _i % 2, types[_i / 2], 1, v);
        ck_assert_int_eq(orientation_of(e, EXIF), v >= 1 && v <= 8 ? (int)v : 0);
        ck_assert_int_eq(orientation_of(e + PREFIX, EXIF - PREFIX), v >= 1 && v <= 8 ? (int)v : 0);
    }
    make(e, _i % 2, 2, 1, 6); /* text */
    ck_assert_int_eq(orientation_of(e, EXIF), 0);
    make(e, _i % 2, 3, 2, 6);
    ck_assert_int_eq(orientation_of(e, EXIF), 0);
}
END_TEST

START_TEST(nonsense_says_nothing)
{
    unsigned char e[EXIF];
    static const unsigned long offsets[] = {0, 7, 9, 40, 41, 42, 43, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

    for (size_t n = 0; n < EXIF; n++) {
        make(e, _i, 3, 1, 6);
        ck_assert_int_eq(orientation_of(e, n), n >= EXIF - 4 ? 6 : 0); /* the offset of the next list is not needed */
    }
    for (size_t k = 0; k < MDM_LENGTH(offsets); k++) {
        make(e, _i, 3, 1, 6);
        put(e + PREFIX + 4, offsets[k], 4, _i);
        ck_assert_int_eq(orientation_of(e, EXIF), 0);
    }
    make(e, _i, 3, 1, 6);
    put(e + PREFIX + 8, 0xffff, 2, _i); /* more entries than there are bytes */
    ck_assert_int_eq(orientation_of(e, EXIF), 6);
    put(e + PREFIX + 8, 1, 2, _i);
    ck_assert_int_eq(orientation_of(e, EXIF), 0);
    make(e, _i, 3, 1, 6);
    put(e + PREFIX + 2, 43, 2, _i);
    ck_assert_int_eq(orientation_of(e, EXIF), 0);
    for (size_t at = 0; at < EXIF; at++)
        for (unsigned v = 0; v < 256; v++) {
            make(e, _i, 3, 1, 6);
            e[at] = (unsigned char)v;
            ck_assert_int_le(orientation_of(e, EXIF), 8);
        }
}
END_TEST

/* ---- pictures ---- */

enum { H = 7, W = 5 };

static unsigned char value(int y, size_t i)
{
    return (unsigned char)(y * 31 + (int)i * 7);
}

/* Where pixel (y, x) of the upright picture is stored, by the words of the standard: which sides the first row and
 * the first column are. */
static void stored(int orientation, int height, int width, int y, int x, int *row, int *column)
{
    static const char *const first_row = "-TTBBLRRL", *const first_column = "-LRRLTTBB";

    for (int way = 0; way < 2; way++) {
        int at = 0;

        switch ((way ? first_column : first_row)[orientation]) {
        case 'T':
            at = y;
            break;
        case 'B':
            at = height - 1 - y;
            break;
        case 'L':
            at = x;
            break;
        default:
            at = width - 1 - x;
        }
        *(way ? column : row) = at;
    }
}

static const struct {
    int type, depth, interlaced, channels;
} kind[] = {{PNG_COLOR_TYPE_RGB, 8, 0, 3}, {PNG_COLOR_TYPE_GRAY, 16, 0, 1}, {PNG_COLOR_TYPE_RGB_ALPHA, 8, 1, 4},
            {PNG_COLOR_TYPE_RGB, 16, 1, 3}};

static maskdm_image *decode(const struct png_file *file, const struct mdm_reading *how)
{
    maskdm_image *m;

    ck_assert_msg(!mdm_image_decode(&m, file->data, file->size, how), "%s", mdm_error_text());
    return m;
}

START_TEST(pictures_are_turned_upright)
{
    const int orientation = 1 + _i % 8, k = _i / 8 % 4, behind = _i / 32;
    unsigned char e[EXIF];
    struct png_chunk chunk = {"eXIf", e + PREFIX, EXIF - PREFIX, behind, 1};
    struct mdm_reading how = mdm_reading_standard;
    struct png_file plain = picture_png(H, W, kind[k].type, kind[k].depth, kind[k].interlaced, value, NULL), file;
    maskdm_image *as_is = decode(&plain, &how), *m, *ignored;
    char remark[64];

    make(e, behind, 3, 1, (unsigned)orientation);
    file = picture_png(H, W, kind[k].type, kind[k].depth, kind[k].interlaced, value, &chunk);
    m = decode(&file, &how);
    ck_assert_int_eq(m->height, orientation > 4 ? W : H);
    ck_assert_int_eq(m->width, orientation > 4 ? H : W);
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            int row, column;

            stored(orientation, (int)m->height, (int)m->width, y, x, &row, &column);
            ck_assert_mem_eq(m->sample + (y * m->width + x) * kind[k].channels,
                             as_is->sample + (row * W + column) * kind[k].channels,
                             (size_t)kind[k].channels * sizeof *m->sample);
        }
    snprintf(remark, sizeof remark, orientation > 1 ? "turned upright from EXIF orientation %d" : "", orientation);
    ck_assert_str_eq(m->remark, remark);

    how.as_stored = 1;
    ignored = decode(&file, &how);
    ck_assert_int_eq(ignored->height, H);
    ck_assert_mem_eq(ignored->sample, as_is->sample, (size_t)(H * W * kind[k].channels) * sizeof *m->sample);
    snprintf(remark, sizeof remark, orientation > 1 ? "EXIF orientation %d not followed" : "", orientation);
    ck_assert_str_eq(ignored->remark, remark);
    mdm_image_free(&ignored);
    mdm_image_free(&m);
    mdm_image_free(&as_is);
    free(file.data);
    free(plain.data);
}
END_TEST

/* Into the resizer by rows, from either end, and as a whole picture: the same. */
START_TEST(fitted_by_rows_as_a_whole)
{
    static const int sizes[][2] = {{3, 3}, {2, 9}, {20, 4}, {7, 5}, {5, 7}, {1, 1}};
    const int orientation = 1 + _i % 8, k = _i / 8;
    unsigned char e[EXIF];
    struct png_chunk chunk = {"eXIf", e + PREFIX, EXIF - PREFIX, 0, 1};
    struct mdm_reading how = mdm_reading_standard;
    struct png_file file;

    make(e, 1, 3, 1, (unsigned)orientation);
    file = picture_png(41, 29, kind[k].type, kind[k].depth, kind[k].interlaced, value, &chunk);
    for (how.channels = 0; how.channels <= 4; how.channels++)
        for (size_t i = 0; i < MDM_LENGTH(sizes); i++) {
            maskdm_image *m, *whole, *fitted;

            how.height = how.width = 0;
            whole = decode(&file, &how);
            ck_assert_int_eq(mdm_image_fit(&fitted, whole, sizes[i][0], sizes[i][1]), MASKDM_OK);
            how.height = sizes[i][0];
            how.width = sizes[i][1];
            m = decode(&file, &how);
            ck_assert(m->channels == whole->channels && m->bits == whole->bits);
            ck_assert_mem_eq(m->sample, fitted->sample,
                             (size_t)(m->height * m->width * m->channels) * sizeof *m->sample);
            mdm_image_free(&m);
            mdm_image_free(&whole);
            mdm_image_free(&fitted);
        }
    free(file.data);
}
END_TEST

START_TEST(a_broken_chunk_is_not_followed)
{
    unsigned char e[EXIF];
    struct png_chunk chunk = {"eXIf", e + PREFIX, EXIF - PREFIX, 0, 1};
    struct mdm_reading how = mdm_reading_standard;
    struct png_file file;
    maskdm_image *m;

    make(e, 1, 3, 1, 6);
    file = picture_png(H, W, PNG_COLOR_TYPE_RGB, 8, 0, value, &chunk);
    file.data[8 + 25 + 8 + EXIF - PREFIX] ^= 1; /* behind signature and IHDR: the checksum of eXIf */
    m = decode(&file, &how);
    ck_assert_int_eq(m->height, H);
    ck_assert_str_eq(m->remark, "1 side chunks with a wrong checksum");
    mdm_image_free(&m);
    free(file.data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("exif");
    TCase *t = tcase_create("exif");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, both_byte_orders_and_three_types, 0, 6);
    tcase_add_loop_test(t, nonsense_says_nothing, 0, 2);
    tcase_add_loop_test(t, pictures_are_turned_upright, 0, 64);
    tcase_add_loop_test(t, fitted_by_rows_as_a_whole, 0, 32);
    tcase_add_test(t, a_broken_chunk_is_not_followed);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
