/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files that lie, each with what is wrong with it and a word that the error must say; and odd ones that
 * are right and must be read. From memory and from a file the verdict must be the same, with nothing leaked.
 */
#include "judge.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "os/file.h"
#include "tensorfile/tensorfile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define A(rest) "{\"a\":{\"dtype\":\"F32\"," rest
#define ONE A("\"shape\":[1],\"data_offsets\":[0,4]}")
#define B(at) ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" at "}}"
#define TWO31 "2147483648"

static const struct {
    const char *header;
    int body;         /* bytes behind it */
    const char *says; /* NULL: must be accepted */
} cases[] = {
    {"{}", 0, NULL},
    {"{}   ", 0, NULL},
    {"{\"__metadata__\":{}}", 0, NULL},
    {ONE "}", 4, NULL},
    {ONE B("[4,8]"), 8, NULL},
    {ONE "}    ", 4, NULL},
    {A("\"shape\":[0,3],\"data_offsets\":[0,0]}") B("[0,4]"), 4, NULL},
    {A("\"shape\":[],\"data_offsets\":[0,4]}}"), 4, NULL},
    {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"a\":{\"data_offsets\":[0,4],"
     "\"dtype\":\"F32\",\"shape\":[1]}}", 8, NULL},
    {"{\"__metadata__\":{\"format\":\"pt\",\"\":\"\"},\"\\u0061\\\"b\\ud83d\\ude00\":{\"dtype\":\"F32\","
     "\"shape\":[1],\"data_offsets\":[0,4]}}", 4, NULL},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, NULL},
    {A("\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}"), 4, NULL},
    {"{ \"a\" : { \"dtype\" : \"U8\" , \"shape\" : [ 1 , 2 ] , \"data_offsets\" : [ 0 , 2 ] } }", 2, NULL},

    /* the text */
    {"", 4, "begin with {"},
    {"    ", 4, "begin with {"},
    {" " ONE "}", 4, "begin with {"},
    {"[]        ", 4, "begin with {"},
    {"[]}", 0, "begin with {"},
    {"{", 4, "end with }"},
    {A("\"shape\":[1],\"data_off"), 4, "end with }"},
    {ONE "}}x", 4, "end with }"},
    {ONE "}\n", 4, "end with }"},
    {ONE "}\t ", 4, "end with }"},
    {ONE "}}", 4, "JSON"},
    {ONE "}{}", 4, "JSON"},
    {ONE ",}", 4, "JSON"},
    {"{\"\xff\xfe\":1}", 4, "UTF-8"},
    {"{\"\xc0\x80\":1}", 4, "UTF-8"},
    {"{\"\xed\xa0\x80\":1}", 4, "UTF-8"},
    {"{\"a\n\":1}", 4, "control"},
    {"{\"a\\u0000b\":1}", 4, "NUL"},
    {"{\"\\ud800\":1}", 4, "surrogate"},
    {"{\"\\udc00\\ud800\":1}", 4, "surrogate"},
    {"{\"\\x61\":1}", 4, "JSON"},
    {"{'a':1}", 4, "JSON"},
    {"{\"a\":1 /* */}", 4, "object"},

    /* the fields */
    {"{\"a\":5}", 4, "object"},
    {"{\"a\":null}", 4, "object"},
    {"{\"a\":[]}", 4, "object"},
    {"{\"a\":{}}", 4, "missing"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is missing"},
    {A("\"data_offsets\":[0,4]}}"), 4, "shape is missing"},
    {A("\"shape\":[1]}}"), 4, "data_offsets is missing"},
    {A("\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}"), 4, "unknown field"},
    {A("\"shape\":[1],\"data_offsets\":[0,4],\"dtype\":\"I32\"}}"), 4, "dtype comes twice"},
    {A("\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}"), 4, "shape comes twice"},
    {A("\"shape\":[1],\"data_offsets\":[0,4],\"data_offsets\":[0,4]}}"), 4, "data_offsets comes twice"},
    {"{\"a\":{\"dtype\":\"Q99\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"Q99\""},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype"},
    {"{\"a\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "not a string"},
    {A("\"shape\":{},\"data_offsets\":[0,4]}}"), 4, "not a list"},
    {A("\"shape\":1,\"data_offsets\":[0,4]}}"), 4, "not a list"},
    {A("\"shape\":[\"1\"],\"data_offsets\":[0,4]}}"), 4, "not a number"},
    {A("\"shape\":[[1]],\"data_offsets\":[0,4]}}"), 4, "not a number"},
    {A("\"shape\":[1],\"data_offsets\":[0,4,8]}}"), 4, "more than 2"},
    {A("\"shape\":[1],\"data_offsets\":[0]}}"), 4, "instead of 2"},
    {A("\"shape\":[1],\"data_offsets\":[]}}"), 4, "instead of 2"},
    {A("\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}"), 4, "more than 8"},
    {"{\"__metadata__\":{\"x\":1}}", 0, "not a string"},
    {"{\"__metadata__\":{\"x\":{}}}", 0, "not a string"},
    {"{\"__metadata__\":[]}", 0, "JSON"},
    {"{\"__metadata__\":null}", 0, "JSON"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "comes twice"},
    {"{\"__metadata__\":{\"x\":\"1\",\"y\":\"\",\"x\":\"2\"}}", 0, "\"x\" comes twice"},
    {"{\"__metadata__\":{\"x\":\"1\",\"\\u0078\":\"2\"}}", 0, "\"x\" comes twice"},

    /* the numbers */
    {A("\"shape\":[1],\"data_offsets\":[4,0]}}"), 4, "begin at 4"},
    {A("\"shape\":[1],\"data_offsets\":[-4,0]}}"), 4, "-4"},
    {A("\"shape\":[1],\"data_offsets\":[0.0,4.9]}}"), 4, "0.0"},
    {A("\"shape\":[1],\"data_offsets\":[0,4e0]}}"), 4, "4e0"},
    {A("\"shape\":[1],\"data_offsets\":[18446744073709551616,18446744073709551620]}}"), 4, "18446744073709551616"},
    {A("\"shape\":[1],\"data_offsets\":[9223372036854775807,9223372036854775808]}}"), 4, "9223372036854775808"},
    {A("\"shape\":[-1,-1],\"data_offsets\":[0,4]}}"), 4, "-1"},
    {A("\"shape\":[1e400],\"data_offsets\":[0,4]}}"), 4, "1e400"},
    {A("\"shape\":[01],\"data_offsets\":[0,4]}}"), 4, "JSON"},
    {A("\"shape\":[+1],\"data_offsets\":[0,4]}}"), 4, "JSON"},
    {A("\"shape\":[NaN],\"data_offsets\":[0,4]}}"), 4, "JSON"},
    {A("\"shape\":[1,],\"data_offsets\":[0,4]}}"), 4, "JSON"},
    {A("\"shape\":[3],\"data_offsets\":[0,4]}}"), 4, "12 bytes"},
    {A("\"shape\":[0],\"data_offsets\":[0,4]}}"), 4, "0 bytes"},
    {A("\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}") B("[0,4]"), 4, "9223372036854775807"},
    {A("\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}") B("[0,4]"), 4, "9223372036854775807"},
    {A("\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}"), 4, "9223372036854775807"},
    {A("\"shape\":[0," TWO31 "," TWO31 "," TWO31 "],\"data_offsets\":[0,0]}}"), 0, "9223372036854775807"},
    {A("\"shape\":[" TWO31 "," TWO31 "," TWO31 ",0],\"data_offsets\":[0,0]}}"), 0, "9223372036854775807"},

    /* the whole */
    {ONE ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "\"a\" comes twice"},
    {ONE ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "\"a\" comes twice"},
    {A("\"shape\":[2],\"data_offsets\":[0,8]}") B("[4,8]"), 8, "begins at byte 4"},
    {ONE B("[0,4]"), 4, "begins at byte 0"},
    {ONE B("[8,12]"), 12, "begins at byte 8"},
    {A("\"shape\":[1],\"data_offsets\":[4,8]}}"), 8, "begins at byte 4"},
    {A("\"shape\":[0],\"data_offsets\":[2,2]}") B("[0,4]"), 4, "begins at byte 2"},
    {ONE "}", 16, "16 follow"},
    {"{}", 1, "1 follow"},
    {ONE B("[4,8]"), 4, "only 4"},
    {ONE "}", 0, "only 0"},
};

/* Processor seconds: a machine that is busy with other things does not fail the tests. Sanitizers stay well below
 * the limit, anything quadratic well above. */
enum { LIMIT = 5 };

static double used(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static unsigned char *file_of(const char *header, size_t length, uint64_t stated, size_t body, size_t *size)
{
    unsigned char *bytes = calloc(1, 8 + length + body + 1);

    ck_assert_ptr_nonnull(bytes);
    mdm_store_le(bytes, 8, stated);
    memcpy(bytes + 8, header, length);
    *size = 8 + length + body;
    return bytes;
}

START_TEST(headers_that_lie)
{
    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        size_t size, length = strlen(cases[i].header);
        unsigned char *bytes = file_of(cases[i].header, length, length, (size_t)cases[i].body, &size);
        judge(bytes, size, cases[i].says, cases[i].header);
        free(bytes);
    }
}
END_TEST

START_TEST(lengths_that_lie)
{
    static const uint64_t stated[] = {0, 1, 1000, 100000001, (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 7,
                                      (uint64_t)INT64_MAX};
    static const char *says[] = {"begin with {", "end with }", "1000", "100000001", "9223372036854775808",
                                 "18446744073709551615", "18446744073709551608", "9223372036854775807"};
    const char *header = ONE "}";

    for (size_t i = 0; i < MDM_LENGTH(stated); i++) {
        size_t size;
        unsigned char *bytes = file_of(header, strlen(header), stated[i], 4, &size);
        judge(bytes, size, says[i], says[i]);
        free(bytes);
    }
    for (size_t more = 0; more < 2; more++) { /* up to the end of the file, and one byte behind it */
        size_t size, n = strlen(header) + 4;
        unsigned char *bytes = file_of(header, strlen(header), n + more, 4, &size);
        judge(bytes, size, more ? "bytes, but only" : "end with }", "up to the end");
        free(bytes);
    }
    judge((const unsigned char *)"", 0, "is empty", "nothing");
    for (size_t n = 1; n < 8; n++)
        judge((const unsigned char *)"\2\0\0\0\0\0\0\0", n, "at least 8", "short");
}
END_TEST

START_TEST(nul_behind_the_header)
{
    const char text[] = ONE "}\0\0garbage}";
    size_t size;
    unsigned char *bytes = file_of(text, sizeof text - 1, sizeof text - 1, 4, &size);

    judge(bytes, size, "JSON", "NUL tail");
    free(bytes);
}
END_TEST

/* `open` times n, a middle, `close` times n, between a beginning and an end. */
static void judge_bomb(const char *begin, const char *open, const char *middle, const char *close, int n,
                       const char *says)
{
    size_t total = strlen(begin) + (size_t)n * (strlen(open) + strlen(close)) + strlen(middle) + 2, size;
    char *text = calloc(1, total), *p = text;
    unsigned char *bytes;
    double start = used();

    ck_assert_ptr_nonnull(text);
    p = stpcpy(p, begin);
    for (int i = 0; i < n; i++)
        p = stpcpy(p, open);
    p = stpcpy(p, middle);
    for (int i = 0; i < n; i++)
        p = stpcpy(p, close);
    strcpy(p, "}");
    bytes = file_of(text, strlen(text), strlen(text), 4, &size);
    judge(bytes, size, says, begin);
    ck_assert_double_lt(used() - start, LIMIT);
    free(bytes);
    free(text);
}

START_TEST(bombs)
{
    judge_bomb("{\"a\":", "[", "", "]", 200000, "object");
    judge_bomb("{", "\"a\":{", "\"a\":1", "}", 100000, "unknown field");
    judge_bomb(A("\"shape\":"), "[", "", "]", 200000, "not a number");
    judge_bomb(A("\"shape\":[1"), ",1", "],\"data_offsets\":[0,4]}", "", 300000, "more than 8");
    judge_bomb("{\"", "x", "\":1", "", 1025, "1025 bytes");
    judge_bomb("{\"", "x", "\":1", "", 3000000, "3000000 bytes");
    judge_bomb("{\"a\":", "", "{\"dtype\":\"", "", 1, "JSON");
}
END_TEST

/* n empty tensors and nothing else; names in falling order, the worst for an insertion. */
static char *many(int n, int metadata)
{
    char *text = malloc((size_t)n * 70 + 64), *p = text;

    ck_assert_ptr_nonnull(text);
    p += sprintf(p, metadata ? "{\"__metadata__\":{" : "{");
    for (int i = 0; i < n; i++)
        p += sprintf(p, "%s\"t%06d\":%s", i ? "," : "", n - i,
                     metadata ? "\"\"" : "{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}");
    strcpy(p, metadata ? "}}" : "}");
    return text;
}

START_TEST(as_many_as_allowed_and_one_more)
{
    for (int metadata = 0; metadata < 2; metadata++)
        for (int n = 65536; n <= 65537; n++) {
            char *text = many(n, metadata);
            size_t size;
            unsigned char *bytes = file_of(text, strlen(text), strlen(text), 0, &size);
            double start = used();
            judge(bytes, size, n > 65536 ? "more than 65536" : NULL, "many");
            ck_assert_double_lt(used() - start, LIMIT); /* two openings */
            free(bytes);
            free(text);
        }
}
END_TEST

START_TEST(every_allocation_refused)
{
    const char *header = "{\"__metadata__\":{\"x\":\"1\",\"y\":\"2\"},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
                         "\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    size_t size;
    unsigned char *bytes = file_of(header, strlen(header), strlen(header), 8, &size);

    refuse_allocations(bytes, size, 8);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = tcase_create("hostile");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, headers_that_lie);
    tcase_add_test(tests, lengths_that_lie);
    tcase_add_test(tests, nul_behind_the_header);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, as_many_as_allowed_and_one_more);
    tcase_add_test(tests, every_allocation_refused);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
