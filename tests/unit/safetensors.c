/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files written and read back: bytes laid down by hand, every element type, every cut, every flipped bit.
 */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/endian.h"
#include "base/error.h"
#include "os/file.h"
#include "tensorfile/safetensors.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PATH = "unit-safetensors.tmp";

static const float weights[6] = {1.0f, -2.5f, 0.0f, 3.25f, 1e-30f, -7.0f};
static const int64_t counts[2] = {-1, INT64_MAX};
static const unsigned char bytes3[3] = {1, 2, 255};

static struct mdm_safetensors_writer *sample_writer(void)
{
    struct mdm_safetensors_writer *w;

    ck_assert_int_eq(mdm_safetensors_writer_create(&w), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "format", "pt"), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "quoted\"\n", "\xc3\xa9 \\"), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "w", "F32", (int64_t[]){2, 3}, 2, weights), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "bytes", "U8", (int64_t[]){3}, 1, bytes3), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "none", "F64", (int64_t[]){4, 0}, 2, NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "counts", "I64", (int64_t[]){2}, 1, counts), MASKDM_OK);
    return w;
}

static char *saved(size_t *size, int digest)
{
    struct mdm_safetensors_writer *w = sample_writer();
    char *bytes;

    ck_assert_int_eq(mdm_safetensors_writer_save(w, PATH, digest), MASKDM_OK);
    mdm_safetensors_writer_release(&w);
    ck_assert_int_eq(mdm_file_read_all(&bytes, size, PATH, 1 << 20), MASKDM_OK);
    ck_assert_int_eq(mdm_file_remove(PATH), MASKDM_OK);
    return bytes;
}

START_TEST(bytes_of_a_file)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"quoted\\\"\\u000a\":\"\xc3\xa9 \\\\\"},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"bytes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[24,27]},"
        "\"none\":{\"dtype\":\"F64\",\"shape\":[4,0],\"data_offsets\":[27,27]},"
        "\"counts\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[27,43]}}";
    size_t size, n, again_size;
    char *bytes = saved(&size, 0), *again = saved(&again_size, 0);

    ck_assert_uint_eq(size, again_size);
    ck_assert_mem_eq(bytes, again, size);
    n = (size_t)mdm_load_le(bytes, 8);
    ck_assert_uint_eq(n % 8, 0);
    ck_assert_uint_ge(n, sizeof header - 1);
    ck_assert_uint_lt(n, sizeof header + 7);
    ck_assert_uint_eq(size, 8 + n + 43);
    ck_assert_mem_eq(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < n; i++)
        ck_assert_int_eq(bytes[8 + i], ' ');
    ck_assert_uint_eq(mdm_load_le(bytes + 8 + n, 4), 0x3F800000);
    ck_assert_mem_eq(bytes + 8 + n + 24, bytes3, 3);
    ck_assert_mem_eq(bytes + 8 + n + 27, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 16);
    mdm_free(bytes);
    mdm_free(again);
}
END_TEST

START_TEST(round_trip)
{
    struct mdm_safetensors_writer *w = sample_writer();
    struct mdm_tensorfile s;
    float x[6];
    double y[6];
    int64_t k[3];
    unsigned char raw[3];

    ck_assert_int_eq(mdm_safetensors_writer_save(w, PATH, 1), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_open(&s, PATH), MASKDM_OK);
    ck_assert_int_eq(s.count, 4);
    ck_assert_int_eq(s.meta_count, 3);
    ck_assert_str_eq(mdm_tensorfile_meta(&s, "format"), "pt");
    ck_assert_str_eq(mdm_tensorfile_meta(&s, "quoted\"\n"), "\xc3\xa9 \\");
    ck_assert_ptr_null(mdm_tensorfile_meta(&s, "no"));
    ck_assert_int_eq(mdm_safetensors_verify(&s), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_find(&s, "w"), 0);
    ck_assert_int_eq(mdm_tensorfile_find(&s, "none"), 2);
    ck_assert_int_eq(mdm_tensorfile_find(&s, "a"), -1);
    ck_assert_int_eq(mdm_tensorfile_find(&s, "z"), -1);
    ck_assert_int_eq(s.tensor[0].rank, 2);
    ck_assert_int_eq(s.tensor[0].shape[1], 3);
    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, x, 6), MASKDM_OK);
    ck_assert_mem_eq(x, weights, sizeof x);
    ck_assert_int_eq(mdm_tensorfile_read_f64(&s, 0, y, 6), MASKDM_OK);
    for (int i = 0; i < 6; i++)
        ck_assert(y[i] == (double)weights[i]);
    ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 1, k, 3), MASKDM_OK);
    ck_assert(k[0] == 1 && k[1] == 2 && k[2] == 255);
    ck_assert_int_eq(mdm_tensorfile_read(&s, 1, raw, 3), MASKDM_OK);
    ck_assert_mem_eq(raw, bytes3, 3);
    ck_assert_int_eq(mdm_tensorfile_read_f64(&s, 2, y, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 3, k, 2), MASKDM_OK);
    ck_assert_mem_eq(k, counts, sizeof counts);

    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, x, 5), MASKDM_ESHAPE);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "\"w\" has 6 elements, 5"));
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), PATH));
    ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, 2, x, 3), MASKDM_OK);
    ck_assert_mem_eq(x, weights + 2, 3 * sizeof *x);
    ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, 6, x, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, 4, x, 3), MASKDM_ESHAPE);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "\"w\" has 6 elements, not 3 from 4 on"));
    ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, INT64_MAX, x, INT64_MAX), MASKDM_ESHAPE);
    ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, -1, x, 1), MASKDM_ESHAPE);
    ck_assert_int_eq(mdm_tensorfile_read(&s, 1, raw, 2), MASKDM_ESHAPE);
    ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 0, k, 6), MASKDM_ENOTSUP);
    mdm_tensorfile_close(&s);
    mdm_tensorfile_close(&s);
    mdm_safetensors_writer_release(&w);
    mdm_safetensors_writer_release(&w);
    ck_assert_int_eq(mdm_file_remove(PATH), MASKDM_OK);
}
END_TEST

/* One element of each type by its bits, and what it is. */
static const struct {
    const char *dtype;
    uint64_t bits;
    int size;
    double value;
    int exact_i64; /* 1: to_i64 gives `value` */
} elements[] = {
    {"F64", 0x3FF8000000000000, 8, 1.5, 0},
    {"F64", 0x7FF0000000000000, 8, INFINITY, 0},
    {"F32", 0xC0490FDB, 4, -3.1415927410125732, 0},
    {"F32", 0x00000001, 4, 0x1p-149, 0},
    {"F16", 0x3C00, 2, 1, 0},
    {"F16", 0xC500, 2, -5, 0},
    {"F16", 0x7BFF, 2, 65504, 0},
    {"F16", 0x0001, 2, 0x1p-24, 0},
    {"F16", 0x83FF, 2, -0x1.ff8p-15, 0},
    {"F16", 0x0400, 2, 0x1p-14, 0},
    {"F16", 0x7C00, 2, INFINITY, 0},
    {"F16", 0xFC00, 2, -INFINITY, 0},
    {"BF16", 0x3FC0, 2, 1.5, 0},
    {"BF16", 0xFF80, 2, -INFINITY, 0},
    {"BF16", 0x0001, 2, 0x1p-133, 0},
    {"BOOL", 1, 1, 1, 1},
    {"U8", 200, 1, 200, 1},
    {"I8", 200, 1, -56, 1},
    {"U16", 0xFFFE, 2, 65534, 1},
    {"I16", 0xFFFE, 2, -2, 1},
    {"U32", 0xFFFFFFFE, 4, 4294967294.0, 1},
    {"I32", 0x80000000, 4, -2147483648.0, 1},
    {"U64", 0x7FFFFFFFFFFFFC00, 8, 9223372036854774784.0, 1},
    {"U64", UINT64_MAX, 8, 18446744073709551616.0, 0},
    {"I64", (uint64_t)-5, 8, -5, 1},
    {"I64", 0x4000000040000001, 8, 4611686019501129729.0, 0}, /* rounds: see below */
};

/* A file with one tensor of n equal elements. */
static size_t lay(unsigned char *file, const char *dtype, uint64_t bits, int size, int n)
{
    int length = sprintf((char *)file + 8, "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
                         dtype, n, n * size);

    mdm_store_le(file, 8, (uint64_t)length);
    for (int i = 0; i < n; i++)
        mdm_store_le(file + 8 + length + i * size, size, bits);
    return 8 + (size_t)length + (size_t)(n * size);
}

START_TEST(every_type_converts)
{
    enum { N = 2500 }; /* more than one buffer of the widest */
    static unsigned char file[N * 8 + 200];
    static double d[N];
    static float f[N];
    static int64_t k[N];

    for (size_t e = 0; e < MDM_LENGTH(elements); e++) {
        struct mdm_tensorfile s;
        size_t size = lay(file, elements[e].dtype, elements[e].bits, elements[e].size, N);
        int integer = !strchr(elements[e].dtype, 'F');

        ck_assert_int_eq(mdm_safetensors_open_memory(&s, file, size), MASKDM_OK);
        ck_assert_int_eq(mdm_tensorfile_read_f64(&s, 0, d, N), MASKDM_OK);
        ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, f, N), MASKDM_OK);
        f[N - 1] = -1;
        ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, 0, N - 2, f + N - 2, 2), MASKDM_OK);
        for (int i = 0; i < N; i++) {
            ck_assert_msg(d[i] == elements[e].value, "%s %a", elements[e].dtype, d[i]);
            if (strcmp(elements[e].dtype, "I64"))
                ck_assert(f[i] == (float)elements[e].value);
        }
        if (elements[e].exact_i64) {
            ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 0, k, N), MASKDM_OK);
            ck_assert(k[0] == (int64_t)elements[e].value && k[N - 1] == k[0]);
        } else if (!integer) {
            ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 0, k, N), MASKDM_ENOTSUP);
        }
        mdm_tensorfile_close(&s);
    }
}
END_TEST

START_TEST(conversions_at_the_edge)
{
    unsigned char file[300];
    struct mdm_tensorfile s;
    int64_t k;
    float f;

    ck_assert_int_eq(mdm_safetensors_open_memory(&s, file, lay(file, "U64", (uint64_t)1 << 63, 8, 1)), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_i64(&s, 0, &k, 1), MASKDM_EFORMAT);
    ck_assert_str_eq(mdm_error_text(), "tensor file in memory: tensor \"x\": element 0 is 9223372036854775808, "
                                          "above 9223372036854775807");
    mdm_tensorfile_close(&s);
    /* Just above the middle of two floats: through double it would first land on the middle, then go down. */
    ck_assert_int_eq(mdm_safetensors_open_memory(&s, file, lay(file, "I64", 0x4000004000000001, 8, 1)), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, &f, 1), MASKDM_OK);
    ck_assert(f == 0x1.000002p62f);
    mdm_tensorfile_close(&s);
    ck_assert_int_eq(mdm_safetensors_open_memory(&s, file, lay(file, "F16", 0x7E01, 2, 1)), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, &f, 1), MASKDM_OK);
    ck_assert(isnan(f));
    mdm_tensorfile_close(&s);
    ck_assert_int_eq(mdm_safetensors_open_memory(&s, file, lay(file, "F8_E4M3", 1, 1, 1)), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, 0, &f, 1), MASKDM_ENOTSUP);
    ck_assert_int_eq(mdm_tensorfile_read(&s, 0, &k, 1), MASKDM_OK);
    mdm_tensorfile_close(&s);
}
END_TEST

START_TEST(cut_at_every_byte)
{
    size_t size;
    char *bytes = saved(&size, 1);
    long live = mdm_alloc_live();

    for (size_t n = 0; n < size; n++) {
        char *part = malloc(n ? n : 1);
        struct mdm_tensorfile s;
        ck_assert_ptr_nonnull(part);
        memcpy(part, bytes, n);
        ck_assert_int_eq(mdm_safetensors_open_memory(&s, part, n), MASKDM_EFORMAT);
        ck_assert_int_eq(mdm_alloc_live(), live);
        free(part);
    }
    mdm_free(bytes);
}
END_TEST

/* Every single bit, of length, header and data alike: no crash, no leak, and never verified. */
START_TEST(flipped_at_every_bit)
{
    size_t size, data;
    char *bytes = saved(&size, 1);
    long live = mdm_alloc_live();

    data = 8 + (size_t)mdm_load_le(bytes, 8);
    for (size_t i = 0; i < size * 8; i++) {
        struct mdm_tensorfile s;
        int err;
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        err = mdm_safetensors_open_memory(&s, bytes, size);
        ck_assert(err == MASKDM_OK || (err == MASKDM_EFORMAT && i / 8 < data));
        if (!err) {
            ck_assert_msg(mdm_safetensors_verify(&s) == MASKDM_EFORMAT, "bit %zu: %s", i, mdm_error_text());
            ck_assert_ptr_nonnull(strstr(mdm_error_text(), "digest"));
            mdm_tensorfile_close(&s);
        }
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
    }
    ck_assert_int_eq(mdm_alloc_live(), live);
    mdm_free(bytes);
}
END_TEST

/* As doc/formats.md defines it: XXH64 of all bytes, the digits themselves as zeros. */
START_TEST(digest_by_its_definition)
{
    size_t size;
    char *bytes = saved(&size, 1), *digits, stated[17], found[17];
    struct mdm_digest d;

    bytes[size - 1] = '\0'; /* the last byte of counts, for strstr(); put back below */
    digits = strstr(bytes + 8, "\"maskdm.digest\":\"xxh64:");
    ck_assert_ptr_nonnull(digits);
    bytes[size - 1] = '\x7f';
    digits += strlen("\"maskdm.digest\":\"xxh64:");
    ck_assert_int_eq(digits[16], '"');
    memcpy(stated, digits, 16);
    stated[16] = '\0';
    memset(digits, '0', 16);
    mdm_digest_start(&d);
    mdm_digest_add(&d, bytes, size);
    mdm_digest_text(&d, found);
    ck_assert_str_eq(stated, found);
    mdm_free(bytes);
}
END_TEST

/* One of before, over the data alone, is told apart from damage. */
START_TEST(digest_of_an_earlier_kind)
{
    static const struct {
        const char *digest;
        int status;
    } file[] = {{"34c96acdcadb1bbb", MASKDM_EVERSION},
                {"34C96acdcadb1bbb", MASKDM_EFORMAT},
                {"34c96acdcadb1bb", MASKDM_EFORMAT},
                {"xxh64:34c96acdcadb1bb", MASKDM_EFORMAT},
                {"xxh64:34c96acdcadb1bbb", MASKDM_EFORMAT},
                {"xxh64:34c96acdcadb1bbbb", MASKDM_EFORMAT},
                {"xxh65:34c96acdcadb1bbb", MASKDM_EFORMAT},
                {"", MASKDM_EFORMAT}};
    char bytes[200];

    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        struct mdm_tensorfile s;
        int n = snprintf(bytes + 8, sizeof bytes - 8, "{\"__metadata__\":{\"maskdm.digest\":\"%s\"}}",
                         file[i].digest);

        mdm_store_le(bytes, 8, (uint64_t)n);
        ck_assert_int_eq(mdm_safetensors_open_memory(&s, bytes, 8 + (size_t)n), MASKDM_OK);
        ck_assert_int_eq(mdm_safetensors_verify(&s), file[i].status);
        mdm_tensorfile_close(&s);
    }
}
END_TEST

START_TEST(digest_must_be_there)
{
    size_t size;
    char *bytes = saved(&size, 0);
    struct mdm_tensorfile s;

    ck_assert_int_eq(mdm_safetensors_open_memory(&s, bytes, size), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_verify(&s), MASKDM_EFORMAT);
    mdm_tensorfile_close(&s);
    mdm_free(bytes);
}
END_TEST

START_TEST(writer_refuses_and_goes_on)
{
    struct mdm_safetensors_writer *w = sample_writer();
    struct mdm_tensorfile s;
    char name[1026];
    int64_t huge[] = {INT64_MAX, 2}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

    memset(name, 'n', sizeof name);
    name[1025] = '\0';
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "w", "F32", nine, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "__metadata__", "F32", nine, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, name, "F32", nine, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "\xff", "F32", nine, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F31", nine, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F32", nine, 9, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F32", nine, -1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F32", huge, 2, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "U8", huge, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F32", (int64_t[]){-1}, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_add(w, "x", "F32", nine, 1, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "format", "np"), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "\xc0\x80", ""), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "x", "\xed\xa0\x80"), MASKDM_EINVAL);
    name[1024] = '\0';
    ck_assert_int_eq(mdm_safetensors_writer_add(w, name, "F32", nine, 8, weights), MASKDM_OK);
    ck_assert_int_lt(mdm_safetensors_writer_save(w, "no-such-folder/x", 0), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_save(w, PATH, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_open(&s, PATH), MASKDM_OK);
    ck_assert_int_eq(s.count, 5);
    ck_assert_int_eq(mdm_tensorfile_find(&s, name), 4);
    mdm_tensorfile_close(&s);
    mdm_safetensors_writer_release(&w);
    ck_assert_int_eq(mdm_file_remove(PATH), MASKDM_OK);
}
END_TEST

START_TEST(empty_file_and_stale_digest)
{
    struct mdm_safetensors_writer *w;
    struct mdm_tensorfile s;

    ck_assert_int_eq(mdm_safetensors_writer_create(&w), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_save(w, PATH, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_open(&s, PATH), MASKDM_OK);
    ck_assert_int_eq(s.count, 0);
    ck_assert_int_eq(mdm_tensorfile_find(&s, "x"), -1);
    mdm_tensorfile_close(&s);
    ck_assert_int_eq(mdm_safetensors_writer_meta(w, "maskdm.digest", "0"), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_writer_save(w, PATH, 1), MASKDM_OK);
    ck_assert_int_eq(mdm_safetensors_open(&s, PATH), MASKDM_OK);
    ck_assert_int_eq(strncmp(mdm_tensorfile_meta(&s, "maskdm.digest"), "xxh64:", 6), 0);
    ck_assert_int_eq(mdm_safetensors_verify(&s), MASKDM_OK);
    mdm_tensorfile_close(&s);
    mdm_safetensors_writer_release(&w);
    ck_assert_int_eq(mdm_file_remove(PATH), MASKDM_OK);
}
END_TEST

static int refuse_nth(void *user, size_t bytes)
{
    (void)bytes;
    return (*(long *)user)-- == 0;
}

static int fail_nth(void *user, const char *operation, const char *path)
{
    (void)operation;
    (void)path;
    return (*(long *)user)-- == 0 ? EIO : 0;
}

/* Build, save, open, verify and read, with the n-th allocation or file operation refused. */
static int whole_life(void)
{
    struct mdm_safetensors_writer *w = NULL;
    struct mdm_tensorfile s;
    float x[6];
    int err = mdm_safetensors_writer_create(&w);

    for (int i = 0; i < 20 && !err; i++) {
        char name[8];
        snprintf(name, sizeof name, "t%d", i);
        err = mdm_safetensors_writer_meta(w, name, "v");
        if (!err)
            err = mdm_safetensors_writer_add(w, name, "F32", (int64_t[]){6}, 1, weights);
    }
    if (!err)
        err = mdm_safetensors_writer_save(w, PATH, 1);
    mdm_safetensors_writer_release(&w);
    if (err || (err = mdm_safetensors_open(&s, PATH)))
        return err;
    err = mdm_safetensors_verify(&s);
    if (!err)
        err = mdm_tensorfile_read_f32(&s, 19, x, 6);
    mdm_tensorfile_close(&s);
    return err;
}

START_TEST(everything_refused_in_turn)
{
    long live = mdm_alloc_live(), n, left;
    struct mdm_alloc_hook refuse = {refuse_nth, &left};
    struct mdm_file_hook fail = {fail_nth, &left};
    int err = -1;

    for (n = 0; err; n++) {
        left = n;
        mdm_alloc_hook_set(&refuse);
        err = whole_life();
        mdm_alloc_hook_set(NULL);
        ck_assert(err == MASKDM_OK || err == MASKDM_ENOMEM);
        ck_assert_int_eq(mdm_alloc_live(), live);
    }
    ck_assert_int_gt(n, 100);
    for (n = 0, left = -1; left < 0 && n < 100; n++) {
        left = n;
        mdm_file_hook_set(&fail);
        err = whole_life();
        mdm_file_hook_set(NULL);
        ck_assert(err == MASKDM_OK || err == MASKDM_EIO);
        ck_assert_int_eq(mdm_alloc_live(), live);
    }
    ck_assert_int_eq(err, MASKDM_OK);
    ck_assert_int_gt(n, 8);
    ck_assert_int_eq(mdm_file_remove(PATH), MASKDM_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, bytes_of_a_file);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, every_type_converts);
    tcase_add_test(tests, conversions_at_the_edge);
    tcase_add_test(tests, cut_at_every_byte);
    tcase_add_test(tests, flipped_at_every_bit);
    tcase_add_test(tests, digest_must_be_there);
    tcase_add_test(tests, digest_by_its_definition);
    tcase_add_test(tests, digest_of_an_earlier_kind);
    tcase_add_test(tests, writer_refuses_and_goes_on);
    tcase_add_test(tests, empty_file_and_stale_digest);
    tcase_add_test(tests, everything_refused_in_turn);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
