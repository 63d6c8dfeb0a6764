/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PyTorch checkpoints: what they hold is read as torch.save meant it, and archives and pickles that lie are refused
 * with a word that tells why. Each is judged from memory and from a file, with nothing leaked.
 */
#include "archive.h"
#include "judge.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "os/file.h"
#include "tensorfile/tensorfile.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

#define BEGIN "\x80\x02}"

static const float storage[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static unsigned char stored[sizeof storage]; /* as a file has it */

static void judge_pickle(const void *pickle, size_t n, const char *says, const char *label)
{
    struct archive a = {0};

    make_archive(&a, pickle, n, stored, sizeof stored);
    judge(a.file.data, a.file.size, says, label);
    free_archive(&a);
}

/* {"model": {"w": [3,4], "turned": its transpose, "part": 2 x 2 inside}, "empty", "one", "step", ...} */
static void write_sample(struct bytes *b)
{
    static const int64_t whole[] = {3, 4}, rows[] = {4, 1}, turned[] = {4, 3}, columns[] = {1, 4}, part[] = {2, 2},
                         none[] = {0, 3};

    put_string(b, "\x80\x02}q");
    put(b, "\0(", 2);
    put_text(b, "step");
    put_string(b, "K\x07");
    put_text(b, "model");
    put_string(b, "ccollections\nOrderedDict\n)R(");
    put_text(b, "w");
    put_tensor(b, "Float", "0", 12, 0, whole, rows, 2);
    put_text(b, "turned");
    put_tensor(b, "Float", "0", 12, 0, turned, columns, 2);
    put_text(b, "part");
    put_tensor(b, "Float", "0", 12, 5, part, rows, 2);
    put_string(b, "u}");
    put_text(b, "_metadata");
    put_string(b, "}sb");
    put_text(b, "empty");
    put_tensor(b, "Float", "0", 12, 12, none, whole, 2);
    put_text(b, "list");
    put_string(b, "](K\x05");
    put_tensor(b, "Float", "0", 12, 11, NULL, NULL, 0);
    put_string(b, "}\x8a\x01\xff\x89s");
    put_string(b, "e");
    put_text(b, "rate");
    put_string(b, "G\x3f\xf8");
    put(b, "\0\0\0\0\0\0", 6);
    put_text(b, "name");
    put_text(b, "caf\xc3\xa9");
    put_text(b, "seed");
    put_string(b, "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff");
    put(b, "\0", 1);
    put_text(b, "nothing");
    put_string(b, "N");
    put_text(b, "low");
    put_string(b, "J\xfe\xff\xff\xff");
    put_text(b, "args");
    put_string(b, "cargparse\nNamespace\n)\x81q\x20}q\x21(");
    put_text(b, "lr");
    put_string(b, "N");
    put_text(b, "model");
    put_text(b, "JiT-B/16");
    put_string(b, "ub");
    put_string(b, "u.");
}

static void check_tensor(struct mdm_tensorfile *s, const char *name, int rank, const int64_t *shape,
                         const float *expected)
{
    int64_t i = mdm_tensorfile_find(s, name), n;
    unsigned char raw[64], as_stored[64];
    float got[16];
    double wide[16];

    ck_assert_msg(i >= 0, "no tensor %s", name);
    ck_assert_int_eq(s->tensor[i].rank, rank);
    for (int d = 0; d < rank; d++)
        ck_assert_int_eq(s->tensor[i].shape[d], shape[d]);
    n = s->tensor[i].elements;
    ck_assert_int_eq(mdm_tensorfile_read_f32(s, i, got, n), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f64(s, i, wide, n), MASKDM_OK);
    for (int64_t k = 0; k < n; k++) {
        ck_assert_msg(got[k] == expected[k] && wide[k] == (double)expected[k], "%s[%d]", name, (int)k);
        ck_assert_int_eq(mdm_tensorfile_read_f32_part(s, i, k, got + k, 1), MASKDM_OK);
        ck_assert(got[k] == expected[k]);
    }
    ck_assert_int_eq(mdm_tensorfile_read(s, i, raw, (size_t)n * 4), MASKDM_OK);
    store_floats(as_stored, expected, n);
    ck_assert(memcmp(raw, as_stored, (size_t)n * 4) == 0);
}

static void check_sample(struct mdm_tensorfile *s)
{
    static const float turned[] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}, part[] = {5, 6, 9, 10}, last = 11;
    static const int64_t shape[] = {3, 4}, back[] = {4, 3}, two[] = {2, 2}, none[] = {0, 3};

    ck_assert_int_eq(s->count, 5);
    check_tensor(s, "model.w", 2, shape, storage);
    check_tensor(s, "model.turned", 2, back, turned);
    check_tensor(s, "model.part", 2, two, part);
    check_tensor(s, "empty", 2, none, NULL);
    check_tensor(s, "list.1", 0, NULL, &last);
    ck_assert_int_eq(s->meta_count, 4 + 1 + 1);
    ck_assert_str_eq(mdm_tensorfile_meta(s, "step"), "7");
    ck_assert_str_eq(mdm_tensorfile_meta(s, "list.2.-1"), "false");
    ck_assert_str_eq(mdm_tensorfile_meta(s, "rate"), "1.5");
    ck_assert_str_eq(mdm_tensorfile_meta(s, "name"), "caf\xc3\xa9");
    ck_assert_str_eq(mdm_tensorfile_meta(s, "low"), "-2");
    ck_assert_str_eq(mdm_tensorfile_meta(s, "args.model"), "JiT-B/16");
}

START_TEST(what_was_saved)
{
    struct bytes b = {0};

    write_sample(&b);
    for (int kind = 0; kind < 16; kind++) {
        struct archive a = {
            .plain = kind & 1, .no_crc = kind >> 1 & 1, .zip64 = kind >> 2 & 1, .wide = kind >> 3};
        struct mdm_tensorfile s;

        make_archive(&a, b.data, b.size, stored, sizeof stored);
        ck_assert_msg(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size) == MASKDM_OK, "%s", mdm_error_text());
        check_sample(&s);
        mdm_tensorfile_close(&s);
        ck_assert_int_eq(open_file(a.file.data, a.file.size), MASKDM_OK);
        free_archive(&a);
    }
    free(b.data);
}
END_TEST

START_TEST(checksum)
{
    struct mdm_crc32 table;

    mdm_crc32_prepare(&table);
    for (size_t cut = 0; cut <= 9; cut++)
        ck_assert_uint_eq(
            mdm_crc32_add(&table, mdm_crc32_add(&table, 0, "123456789", cut), "123456789" + cut, 9 - cut),
            0xCBF43926);
}
END_TEST

START_TEST(element_types)
{
    static const struct {
        const char *storage, *dtype;
        int size;
        uint64_t bits;
        double value;
    } types[] = {
        {"Double", "F64", 8, 0x4014000000000000, 5},
        {"Float", "F32", 4, 0x40A00000, 5},
        {"Half", "F16", 2, 0xC500, -5},
        {"BFloat16", "BF16", 2, 0x40A0, 5},
        {"Long", "I64", 8, 0xFFFFFFFFFFFFFFFB, -5},
        {"Int", "I32", 4, 0xFFFFFFFB, -5},
        {"Short", "I16", 2, 0xFFFB, -5},
        {"Char", "I8", 1, 0xFB, -5},
        {"Byte", "U8", 1, 0xFB, 251},
        {"Bool", "BOOL", 1, 1, 1},
    };

    for (size_t i = 0; i < MDM_LENGTH(types); i++) {
        struct archive a = {0};
        struct bytes b = {0}, content = {0};
        struct mdm_tensorfile s;
        double x;

        put_string(&b, BEGIN);
        put_text(&b, "x");
        put_tensor(&b, types[i].storage, "0", 2, 1, NULL, NULL, 0);
        put_string(&b, "s.");
        put_le(&content, types[i].size, 0);
        put_le(&content, types[i].size, types[i].bits);
        make_archive(&a, b.data, b.size, content.data, content.size);
        ck_assert_msg(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size) == MASKDM_OK, "%s", mdm_error_text());
        ck_assert_str_eq(s.tensor[0].dtype, types[i].dtype);
        ck_assert_int_eq((int64_t)(s.tensor[0].end - s.tensor[0].begin), types[i].size);
        ck_assert_int_eq(mdm_tensorfile_read_f64(&s, 0, &x, 1), MASKDM_OK);
        ck_assert_msg(x == types[i].value, "%s is %g", types[i].dtype, x);
        mdm_tensorfile_close(&s);
        free_archive(&a);
        free(b.data);
        free(content.data);
    }
}
END_TEST

#define KEY "X\1\0\0\0a"
#define OTHER "X\1\0\0\0b"

#define P(text) text, sizeof(text) - 1
static const struct {
    const char *pickle;
    size_t size;
    const char *says;
} pickles[] = {
    {P(BEGIN "."), NULL},
    {P(BEGIN "r\xff\xff\xff\xff."), NULL},
    {P(BEGIN KEY "ctorch\nSize\n((K\1K\2ttRs."), NULL},
    {P(BEGIN KEY "ctorch\nfloat32\ns."), NULL},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81}" OTHER "K\1sbs."), NULL},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81q\1}bs" OTHER "h\1s."), NULL},
    {P(BEGIN KEY "cargparse\nNamespace\n(K\1t\x81s."), "an object is made of"},
    {P(BEGIN KEY "ccollections\nOrderedDict\n)\x81s."), "an object is made of"},
    {P(BEGIN KEY "cargparse\nNamespace\n)Rs."), "Namespace is called"},
    {P(BEGIN KEY "K\1)\x81s."), "an object is made of a whole number"},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81q\1h\1bs."), "a dictionary is given"},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81}b}bs."), "a dictionary is given"},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81]bs."), "a dictionary is given a list"},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81" OTHER "K\1s}bs."), "has attributes before"},
    {P(BEGIN KEY "cargparse\nNamespace\n)\x81}(" OTHER "K\1" OTHER "K\2ubs."), "\"b\" comes twice"},
    {P(""), "its protocol"},
    {P("}."), "its protocol"},
    {P("\x80\x04}."), "protocol 4"},
    {P(BEGIN), "without STOP"},
    {P(BEGIN ".}"), "follow STOP"},
    {P(BEGIN "}."), "left on the stack"},
    {P("\x80\x02(."), "the stack has none"},
    {P("\x80\x02K\x05."), "a whole number and not a dictionary"},
    {P("\x80\x02]."), "a list and not a dictionary"},
    {P("\x80\x02"
       "cos\nsystem\n(X\2\0\0\0idtR."),
     "\"os.system\""},
    {P(BEGIN KEY "cbuiltins\neval\ns."), "\"builtins.eval\""},
    {P(BEGIN KEY "ctorch._utils\n_rebuild_tensor_v2 \ns."), "_rebuild_tensor_v2 "},
    {P(BEGIN KEY "ctorch\nFloatStorage\n)Rs."), "FloatStorage is called"},
    {P(BEGIN KEY "K\1)Rs."), "is called with"},
    {P(BEGIN KEY "ccollections\nOrderedDict\n(K\1tRs."), "OrderedDict"},
    {P(BEGIN KEY "ctorch._utils\n_rebuild_tensor_v2\n(K\1tRs."), "made of 1 arguments"},
    {P(BEGIN KEY "ctorch._utils\n_rebuild_tensor_v2\n(K\1K\1K\1K\1K\1K\1K\1tRs."), "called with 7 arguments"},
    {P(BEGIN KEY "ctorch._utils\n_rebuild_parameter\n(K\1\x88}tRs."), "parameter"},
    {P("\x80\x02"
       "cos"),
     "without an end"},
    {P(BEGIN "2."), "0x32"},
    {P(BEGIN "\xfe"), "0xfe"},
    {P(BEGIN "X\xff\xff\xff\xff."), "4294967295 bytes"},
    {P(BEGIN "h\1."), "memo 1 was never set"},
    {P(BEGIN "q\2q\1."), "memo 1 comes after"},
    {P(BEGIN "q\1q\1."), "memo 1 comes after memo 1"},
    {P("\x80\x02q\1."), "nothing to remember"},
    {P("\x80\x02R."), "the stack has none"},
    {P("\x80\x02s."), "the stack has none"},
    {P("\x80\x02t."), "a mark is wanted"},
    {P("\x80\x02K\1\x87."), "a tuple of 3"},
    {P("\x80\x02"
       "e."),
     "a mark is wanted"},
    {P(BEGIN "(K\1e."), "into a dictionary"},
    {P(BEGIN "(" KEY "u."), "no value"},
    {P(BEGIN "]K\1s."), "key is a list"},
    {P(BEGIN "G\0\0\0\0\0\0\0\0K\1s."), "key is a number"},
    {P(BEGIN "(" KEY "K\1" OTHER "K\1" KEY "K\2u."), "\"a\" comes twice"},
    {P(BEGIN "(K\3K\1K\3K\2u."), "key 3 comes twice"},
    {P(BEGIN KEY "}}bs."), "a dictionary is given"},
    {P(BEGIN KEY "K\1}bs."), "a whole number is given"},
    {P(BEGIN "X\3\0\0\0a\0bK\1s."), "NUL"},
    {P(BEGIN "X\2\0\0\0\xff\xfeK\1s."), "UTF-8"},
    {P(BEGIN KEY "X\7\0\0\0storageQs."), "not named by"},
    {P(BEGIN "q\1" KEY "h\1s."), "from so small a pickle"},
    {P(BEGIN "q\1X\x20\0\0\0abcdefghabcdefghabcdefghabcdefghh\1s."), "of more than 1024 bytes"},
    {P(BEGIN "q\1X\0\0\0\0h\1X\x20\0\0\0abcdefghabcdefghabcdefghabcdefghX\0\0\0\0s."), "stack"},
    {P(BEGIN KEY "]q\1h\1as" OTHER "X\x20\0\0\0abcdefghabcdefghabcdefghabcdefghs."), "nested more than 32"},
};

START_TEST(pickles_that_lie)
{
    for (size_t i = 0; i < MDM_LENGTH(pickles); i++) {
        char label[32];
        snprintf(label, sizeof label, "pickle %d", (int)i);
        judge_pickle(pickles[i].pickle, pickles[i].size, pickles[i].says, label);
    }
}
END_TEST

/* A tensor "a" of storage "0" with 12 elements, by what is said of it. */
START_TEST(tensors_that_lie)
{
    static const struct {
        const char *type, *key;
        int64_t elements, offset, size, stride;
        const char *says;
    } cases[] = {
        {"Float", "0", 12, 0, 12, 1, NULL},
        {"Double", "0", 6, 0, 6, 1, NULL},
        {"Float", "0", 12, 12, 0, 1, NULL},
        {"Float", "0", 12, 0, 1, INT64_MAX, NULL},
        {"Float", "0", 12, 10, 2, 1, NULL},
        {"Float", "0", 12, 0, 12, 0, NULL},
        {"Float", "0", 12, 0, 13, 1, "not all among the 12"},
        {"Float", "0", 12, 11, 1, 1, NULL},
        {"Float", "0", 12, 12, 1, 1, "from 12 on are not all among the 12"},
        {"Float", "0", 12, 0, 2, 11, NULL},
        {"Float", "0", 12, 0, 2, 12, "not all among the 12"},
        {"Float", "0", 12, 1, 12, 1, "not all among the 12"},
        {"Float", "0", 12, 0, 13, 0, "not all among the 12"},
        {"Float", "0", 12, 0, 2, INT64_MAX, "not all among the 12"},
        {"Float", "0", 12, 13, 0, 1, "not all among the 12"},
        {"Float", "0", 12, INT64_MAX, 1, 1, "not all among the 12"},
        {"Float", "0", 12, -1, 1, 1, "from -1 on"},
        {"Float", "0", 12, 0, -1, 1, "size 0 is -1"},
        {"Float", "0", 12, 0, 1, -1, "stride 0 is -1"},
        {"Float", "0", 12, 0, INT64_MAX, 1, "takes more than"},
        {"Float", "0", 13, 0, 1, 1, "13 elements of 4 bytes"},
        {"Float", "0", 11, 0, 1, 1, "11 elements of 4 bytes"},
        {"Double", "0", 12, 0, 1, 1, "12 elements of 8 bytes"},
        {"Float", "0", -1, 0, 1, 1, "-1 elements"},
        {"Float", "0", (int64_t)1 << 62, 0, 1, 1, "elements of 4 bytes"},
        {"Float", "1", 12, 0, 1, 1, "\"archive/data/1\", is missing"},
        {"Float", "../data/0", 12, 0, 1, 1, "no key"},
        {"Float", "", 12, 0, 1, 1, "no key"},
        {"Quint", "0", 12, 0, 1, 1, "\"torch.QuintStorage\""},
    };

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct bytes b = {0};
        char label[32];

        snprintf(label, sizeof label, "tensor %d", (int)i);
        put_string(&b, BEGIN);
        put_text(&b, "a");
        put_tensor(&b, cases[i].type, cases[i].key, cases[i].elements, cases[i].offset, &cases[i].size,
                   &cases[i].stride, 1);
        put_string(&b, "s.");
        judge_pickle(b.data, b.size, cases[i].says, label);
        free(b.data);
    }
}
END_TEST

START_TEST(bombs)
{
    struct bytes b = {0};

    /* dictionaries, each twice in the next: 2^30 leaves */
    put_string(&b, BEGIN);
    put_text(&b, "all");
    put_string(&b, "](");
    put_string(&b, "}");
    for (int i = 0; i < 30; i++) {
        put_string(&b, "q");
        put_le(&b, 1, (uint64_t)i);
        put_string(&b, "}(");
        for (int k = 0; k < 2; k++) {
            put_text(&b, k ? "b" : "a");
            put_string(&b, "h");
            put_le(&b, 1, (uint64_t)i);
        }
        put_string(&b, "u");
    }
    put_string(&b, "es.");
    judge_pickle(b.data, b.size, "from so small a pickle", "doubling");
    b.size = 0;
    put_string(&b, BEGIN "(");
    put_text(&b, "long");
    put_string(&b, "X\xe8\3");
    put(&b, "\0", 2);
    for (int i = 0; i < 1000; i++)
        put_string(&b, "t");
    put_string(&b, "q\1");
    for (int i = 0; i < 200; i++) {
        put_int(&b, i);
        put_string(&b, "h\1");
    }
    put_string(&b, "u.");
    judge_pickle(b.data, b.size, "names and strings of more than", "one text many times");
    /* one long key, to be compared again and again */
    b.size = 0;
    put_string(&b, BEGIN);
    put_text(&b, "all");
    put_string(&b, "](X");
    put_le(&b, 4, 1025);
    for (int i = 0; i < 1025; i++)
        put_string(&b, "k");
    put_string(&b, "q\1e}(h\1K\1");
    put_text(&b, "other");
    put_string(&b, "K\2uas.");
    judge_pickle(b.data, b.size, "key has 1025 bytes; at most 1024", "long keys");
    b.size = 0;
    put_string(&b, "\x80\x02");
    for (int i = 0; i < 70000; i++)
        put_string(&b, "(");
    judge_pickle(b.data, b.size, "more than 65536 values", "marks");
    b.size = 0;
    put_string(&b, BEGIN);
    put_text(&b, "a");
    put_string(&b, ")");
    for (int i = 0; i < 100000; i++)
        put_string(&b, "\x85");
    put_string(&b, "s.");
    judge_pickle(b.data, b.size, "nested more than 32", "tuples");
    free(b.data);
}
END_TEST

/* One byte of the archive wrong, at every place: read as before where it has no meaning (times), refused elsewhere.
 */
START_TEST(every_byte_wrong)
{
    struct bytes b = {0};
    int refused = 0;

    write_sample(&b);
    for (int kind = 0; kind < 4; kind++) {
        struct archive a = {.plain = kind & 1, .zip64 = kind >> 1};

        make_archive(&a, b.data, b.size, stored, sizeof stored);
        for (size_t i = 0; i < a.file.size; i++) {
            long live = mdm_alloc_live();
            struct mdm_tensorfile s;
            int err;

            a.file.data[i] ^= 0x81;
            err = mdm_tensorfile_open_memory(&s, a.file.data, a.file.size);
            ck_assert(err == MASKDM_OK || err == MASKDM_EFORMAT);
            if (!err) {
                check_sample(&s);
                mdm_tensorfile_close(&s);
            }
            refused += err != MASKDM_OK;
            a.file.data[i] ^= 0x81;
            ck_assert_int_eq(mdm_alloc_live(), live);
        }
        for (size_t n = 0; n < a.file.size; n++) {
            struct mdm_tensorfile s;
            ck_assert_int_eq(mdm_tensorfile_open_memory(&s, a.file.data, n), MASKDM_EFORMAT);
        }
        free_archive(&a);
    }
    ck_assert_int_gt(refused, 4 * (int)b.size);
    free(b.data);
}
END_TEST

START_TEST(archives_that_lie)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"archive/data/1", NULL},       {"archive/data.pkl", "comes twice"}, {"other/data.pkl", "not in folder"},
        {"archive/../x", "impossible"}, {"archive//x", "impossible"},        {"/archive/x", "impossible"},
        {"archive/.", "impossible"},    {"archive/x/", "impossible"},        {"", "impossible"}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct archive a = {0};

        add_entry(&a, "archive/data.pkl", "\x80\x02}.", 4);
        add_entry(&a, cases[i].name, stored, 4);
        end_archive(&a);
        judge(a.file.data, a.file.size, cases[i].says, cases[i].name);
        free_archive(&a);
    }
    for (int order = 0; order < 4; order++) {
        struct archive a = {0};

        if (order == 0)
            add_entry(&a, "archive/version", "3\n", 2);
        add_entry(&a, order == 2 ? "data.pkl" : order ? "archive/data.pkl" : "archive/other", "\x80\x02}.", 4);
        if (order == 1)
            add_entry(&a, "archive/byteorder", "big", 3);
        if (order == 3)
            add_entry(&a, "archive/byteorder", "middle", 6);
        end_archive(&a);
        judge(a.file.data, a.file.size,
              order == 2 ? "in no folder"
              : order    ? "little endian"
                         : "no entry \"archive/data.pkl\"",
              "parts");
        free_archive(&a);
    }
}
END_TEST

/* What an archive says twice and otherwise. `at` counts from the beginning, of FILE_END from the end. */
START_TEST(archives_that_contradict_themselves)
{
    enum { FILE_START, DIRECTORY, FILE_END, GAP };
    static const struct {
        int part, at, width;
        uint64_t value;
        const char *says;
    } cases[] = {{GAP, 0, 0, 0, "the central directory begins at"},
                 {FILE_START, 30, 1, 'x', "about its name"},
                 {FILE_START, 14, 4, 1, "about its checksum"},
                 {FILE_START, 18, 4, 5, "about its size"},
                 {FILE_START, 22, 4, 5, "about its size"},
                 {FILE_START, 6, 2, 0x0800, "about its kind"},
                 {FILE_START, 8, 2, 8, "about its kind"},
                 {DIRECTORY, 20, 4, 5, "not stored as it is"},
                 {DIRECTORY, 10, 2, 8, "not stored as it is"},
                 {DIRECTORY, 34, 2, 1, "no place in this file"},
                 {DIRECTORY, 42, 4, 1, "said to begin at byte 1"},
                 {FILE_END, 22 - 12, 4, 1, "contradict each other"},
                 {FILE_END, 22 - 16, 4, 1, "contradict each other"},
                 {FILE_END, 22 - 10, 2, 7, "in all"},
                 {FILE_END, 22 + 20 - 8, 8, 1, "not where its locator says"},
                 {FILE_END, 22 + 20 - 16, 4, 2, "several volumes"},
                 {FILE_END, 22 + 20 + 56 - 24, 8, 2, "contradict each other"}};

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        struct archive a = {.plain = 1, .zip64 = 1};
        char label[32];

        snprintf(label, sizeof label, "contradiction %d", (int)i);
        add_entry(&a, "archive/data.pkl", "\x80\x02}.", 4);
        if (cases[i].part == GAP)
            put_string(&a.file, "gap");
        if (cases[i].part == DIRECTORY)
            mdm_store_le(a.directory.data + cases[i].at, cases[i].width, cases[i].value);
        if (cases[i].part == DIRECTORY && cases[i].at == 20) /* the entry's own header says the same */
            mdm_store_le(a.file.data + 18, 4, cases[i].value);
        end_archive(&a);
        if (cases[i].part == FILE_START)
            mdm_store_le(a.file.data + cases[i].at, cases[i].width, cases[i].value);
        if (cases[i].part == FILE_END)
            mdm_store_le(a.file.data + a.file.size - (size_t)cases[i].at, cases[i].width, cases[i].value);
        judge(a.file.data, a.file.size, cases[i].says, label);
        free_archive(&a);
    }
}
END_TEST

/* An entry that is said to reach into the directory, by no more than a byte, with and without a descriptor. */
START_TEST(entries_that_end_behind)
{
    for (int kind = 0; kind < 2; kind++)
        for (size_t more = 0; more < 3; more++) {
            struct archive a = {.plain = kind, .no_crc = 1};
            size_t header, central;
            const char *says = more ? "but the entries end at" : NULL;

            add_entry(&a, "archive/data.pkl", "\x80\x02}.", 4);
            header = a.file.size;
            central = a.directory.size;
            add_entry(&a, "archive/data/0", stored, 4);
            for (size_t at = 0; at < 8; at += 4) { /* packed, size */
                mdm_store_le(a.directory.data + central + 20 + at, 4, 4 + (kind ? 0 : 16) * (more > 0) + more);
                if (kind)
                    mdm_store_le(a.file.data + header + 18 + at, 4, 4 + more);
            }
            end_archive(&a);
            judge(a.file.data, a.file.size, says, kind ? "plain" : "descriptor");
            free_archive(&a);
        }
}
END_TEST

/* ---- what opening and reading cost ---- */

static int count_reads(void *user, const char *operation, const char *path)
{
    (void)path;
    *(int *)user += strcmp(operation, "read") == 0;
    return 0;
}

/* A file of its own for bytes; unlink() it. */
static void write_file(char path[], const struct bytes *b)
{
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, b->data, b->size), (ssize_t)b->size);
    close(fd);
}

/* A checkpoint of `count` tensors, each `side` x `side` in a storage of its own. */
static void write_many(struct archive *a, int count, int64_t side)
{
    struct bytes b = {0}, content = {0};
    const int64_t shape[] = {side, side}, stride[] = {side, 1};
    char name[32];

    put_string(&b, BEGIN "(");
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%d", i);
        put_text(&b, name);
        put_tensor(&b, "Float", name, side * side, 0, shape, stride, 2);
    }
    put_string(&b, "u.");
    add_entry(a, "archive/data.pkl", b.data, b.size);
    for (int64_t i = 0; i < side * side; i++)
        put_le(&content, 4, (uint64_t)i);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "archive/data/%d", i);
        add_entry(a, name, content.data, content.size);
    }
    end_archive(a);
    free(b.data);
    free(content.data);
}

/* Describing reads a block an entry and the pickle, however much there is behind them. */
START_TEST(describing_reads_no_tensor)
{
    enum { COUNT = 40, SIDE = 300 };
    char path[] = "described-XXXXXX";
    struct archive a = {0};
    struct mdm_tensorfile s;
    int reads = 0;
    const struct mdm_file_hook hook = {count_reads, &reads};

    write_many(&a, COUNT, SIDE);
    ck_assert_uint_gt(a.file.size, (size_t)4 * COUNT * SIDE * SIDE);
    write_file(path, &a.file);
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(mdm_tensorfile_open(&s, path), MASKDM_OK);
    mdm_file_hook_set(NULL);
    ck_assert_int_eq(s.count, COUNT);
    ck_assert_msg(reads <= 2 * COUNT + 10, "%d reads", reads);
    mdm_tensorfile_close(&s);
    unlink(path);
    free_archive(&a);
}
END_TEST

/* A storage's checksum is found wrong by whoever reads a tensor of it, once and for all; the others can be read. */
START_TEST(damage_is_found_when_read)
{
    enum { SIDE = 40 };
    static float x[SIDE * SIDE];
    static double y[SIDE * SIDE];

    for (int no_crc = 0; no_crc < 2; no_crc++) {
        struct archive a = {.no_crc = no_crc};
        struct mdm_tensorfile s;
        size_t at;

        write_many(&a, 3, SIDE);
        for (at = a.file.size; memcmp(a.file.data + at - 14, "archive/data/1", 14) != 0; at--)
            ;
        for (at -= 15; memcmp(a.file.data + at - 14, "archive/data/1", 14) != 0; at--) /* not the directory's */
            ;
        a.file.data[at + 2000] ^= 1;
        ck_assert_int_eq(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size), MASKDM_OK);
        for (int again = 0; again < 2; again++)
            for (int i = 0; i < 3; i++) {
                const int expected = i == 1 && !no_crc ? MASKDM_EFORMAT : MASKDM_OK;

                ck_assert_int_eq(mdm_tensorfile_read_f32(&s, i, x, SIDE * SIDE), expected);
                if (expected)
                    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "tensor \"1\" is damaged"));
                ck_assert_int_eq(mdm_tensorfile_read_f32_part(&s, i, 0, x, 1), expected);
                ck_assert_int_eq(mdm_tensorfile_read_f64(&s, i, y, SIDE * SIDE), expected);
                ck_assert_int_eq(mdm_tensorfile_read(&s, i, x, sizeof x), expected);
            }
        mdm_tensorfile_close(&s);
        free_archive(&a);
    }
}
END_TEST

/* Views of one storage, which is read and checked once, and each view in few pieces. */
START_TEST(views_are_read_in_pieces)
{
    enum { VIEWS = 20, SIDE = 512 };
    static const int64_t shape[] = {SIDE, SIDE}, turned[] = {1, SIDE};
    static float x[SIDE * SIDE];
    char path[] = "views-XXXXXX", name[32];
    struct bytes b = {0};
    struct archive a = {0};
    struct mdm_tensorfile s;
    int reads = 0;
    const struct mdm_file_hook hook = {count_reads, &reads};

    for (int i = 0; i < SIDE * SIDE; i++)
        x[i] = (float)i;
    put_string(&b, BEGIN "(");
    for (int i = 0; i < VIEWS; i++) {
        snprintf(name, sizeof name, "%d", i);
        put_text(&b, name);
        put_tensor(&b, "Float", "0", SIDE * SIDE, 0, shape, turned, 2);
    }
    put_string(&b, "u.");
    mdm_swap_le(x, 4, SIDE * SIDE);
    make_archive(&a, b.data, b.size, x, sizeof x);
    write_file(path, &a.file);
    ck_assert_int_eq(mdm_tensorfile_open(&s, path), MASKDM_OK);
    mdm_file_hook_set(&hook);
    for (int i = 0; i < VIEWS; i++)
        ck_assert_int_eq(mdm_tensorfile_read_f32(&s, i, x, SIDE * SIDE), MASKDM_OK);
    mdm_file_hook_set(NULL);
    ck_assert_msg(reads <= 4 + 4 * VIEWS, "%d reads of %d views of 4 x 256 KiB", reads, VIEWS);
    for (int i = 0; i < SIDE * SIDE; i++)
        if (x[i] != (float)(i % SIDE * SIDE + i / SIDE))
            ck_abort_msg("element %d is %g", i, (double)x[i]);
    mdm_tensorfile_close(&s);
    unlink(path);
    free_archive(&a);
    free(b.data);
}
END_TEST

/* Any view, read at once, against the same element by element. */
START_TEST(every_kind_of_view)
{
    enum { ELEMENTS = 300000 };
    static const struct {
        int rank;
        int64_t shape[5], stride[5], offset;
    } views[] = {
        {2, {400, 500}, {1, 400}, 0},                     /* a transpose, beyond one window */
        {2, {3, 70000}, {1, 3}, 7},                       /* narrow */
        {1, {30000}, {4}, 0},                             /* a last element just behind a window */
        {2, {20000, 2}, {5, 1}, 0},
        {2, {70000, 3}, {1, 80000}, 7},                   /* columns longer than a window */
        {4, {30, 20, 5, 4}, {400, 1, 80, 20}, 11},        /* a convolution's, channels last */
        {4, {4, 5, 20, 30}, {1, 120, 4, 600 * 4}, 0},     /* nothing that follows */
        {3, {7, 9, 11}, {1, 7, 63}, 5},                   /* all turned round */
        {1, {100}, {2999}, 3},                            /* far apart */
        {2, {50, 3}, {1, 90000}, 0},
        {2, {100, 40}, {3, 1}, 0},                        /* windows that overlap */
        {2, {200, 900}, {1, 1}, 9},
        {2, {300, 500}, {1, 0}, 0},                       /* repeated */
        {3, {10, 20, 30}, {0, 30, 1}, 4},
        {3, {1, 50, 1}, {INT64_MAX, 2, INT64_MAX}, 1},
        {5, {2, 3, 4, 5, 6}, {360, 1, 3, 12, 60}, 0},
    };
    static float content[ELEMENTS], whole[ELEMENTS];
    static double wide[ELEMENTS];
    struct archive a = {0};
    struct bytes b = {0};
    struct mdm_tensorfile s;
    char name[32];

    for (int i = 0; i < ELEMENTS; i++)
        content[i] = (float)i;
    put_string(&b, BEGIN "(");
    for (size_t i = 0; i < MDM_LENGTH(views); i++) {
        snprintf(name, sizeof name, "%d", (int)i);
        put_text(&b, name);
        put_tensor(&b, "Float", "0", ELEMENTS, views[i].offset, views[i].shape, views[i].stride, views[i].rank);
    }
    put_string(&b, "u.");
    make_archive(&a, b.data, b.size, content, sizeof content);
    ck_assert_msg(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size) == MASKDM_OK, "%s", mdm_error_text());
    for (int64_t i = 0; i < s.count; i++) {
        const int64_t n = s.tensor[i].elements;
        float alone;

        ck_assert_int_eq(s.tensor[i].scattered, 1);
        memset(whole, 0xff, sizeof whole);
        ck_assert_int_eq(mdm_tensorfile_read_f32(&s, i, whole, n), MASKDM_OK);
        ck_assert_int_eq(mdm_tensorfile_read_f64(&s, i, wide, n), MASKDM_OK);
        for (int64_t k = 0; k < n; k++) {
            int err = mdm_tensorfile_read_f32_part(&s, i, k, &alone, 1);

            if (err || whole[k] != alone || wide[k] != (double)alone)
                ck_abort_msg("view %d, element %d is %g, not %g", (int)i, (int)k, (double)whole[k], (double)alone);
        }
    }
    mdm_tensorfile_close(&s);
    free_archive(&a);
    free(b.data);
}
END_TEST

START_TEST(older_formats)
{
    unsigned char tar[600] = {0}, stream[] = {0x80, 2,    0x8a, 10,  0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a,
                                              0xa8, 0x50, 0x19, '.', 0x80, 2,    'M',  0xe9, 3,    '.'};

    memcpy(tar + 257, "ustar", 5);
    judge(tar, sizeof tar, "torch.save", "tar");
    judge(stream, sizeof stream, "torch.save", "stream");
}
END_TEST

START_TEST(every_allocation_refused)
{
    struct bytes b = {0};
    struct archive a = {0};

    write_sample(&b);
    make_archive(&a, b.data, b.size, stored, sizeof stored);
    refuse_allocations(a.file.data, a.file.size, 30);
    free_archive(&a);
    free(b.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torch");
    TCase *tests = tcase_create("torch");
    SRunner *runner;
    int failed;

    store_floats(stored, storage, 12);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_was_saved);
    tcase_add_test(tests, checksum);
    tcase_add_test(tests, element_types);
    tcase_add_test(tests, pickles_that_lie);
    tcase_add_test(tests, tensors_that_lie);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, every_byte_wrong);
    tcase_add_test(tests, archives_that_lie);
    tcase_add_test(tests, archives_that_contradict_themselves);
    tcase_add_test(tests, entries_that_end_behind);
    tcase_add_test(tests, describing_reads_no_tensor);
    tcase_add_test(tests, damage_is_found_when_read);
    tcase_add_test(tests, views_are_read_in_pieces);
    tcase_add_test(tests, every_kind_of_view);
    tcase_add_test(tests, older_formats);
    tcase_add_test(tests, every_allocation_refused);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
