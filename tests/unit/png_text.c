/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts in PNG files: what is written is read back, and what others write, or break, is read or passed over.
 */
#include "image/png_text.h"

#include "base/alloc.h"
#include "base/crc32.h"
#include "image/codec.h"
#include "text/text.h"

#include <check.h>
#include <string.h>

/* A file in the making. */
struct bytes {
    unsigned char data[4096];
    size_t size;
};

static void add(struct bytes *b, const void *from, size_t n)
{
    memcpy(b->data + b->size, from, n);
    b->size += n;
}

static void add_u32(struct bytes *b, uint32_t v)
{
    const unsigned char four[] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
                                  (unsigned char)v};

    add(b, four, sizeof four);
}

/* `wrong` is added to the checksum. */
static void add_chunk(struct bytes *b, const char *name, const void *body, size_t n, uint32_t wrong)
{
    struct mdm_crc32 crc;
    const size_t at = b->size + 4;

    mdm_crc32_prepare(&crc);
    add_u32(b, (uint32_t)n);
    add(b, name, 4);
    add(b, body, n);
    add_u32(b, mdm_crc32_add(&crc, 0, b->data + at, 4 + n) + wrong);
}

static void begin(struct bytes *b)
{
    static const unsigned char head[] = {0, 0, 0, 7, 0, 0, 0, 5, 16, 4, 0, 0, 0};

    b->size = 0;
    add(b, "\211PNG\r\n\032\n", 8);
    add_chunk(b, "IHDR", head, sizeof head, 0);
}

static int hear(void *user, const char *key, const char *text)
{
    mdm_text_addf(user, "[%s|%s]", key, text);
    return MASKDM_OK;
}

static void expect(const struct bytes *b, const char *texts)
{
    struct mdm_text said = {0};

    mdm_text_add(&said, "");
    ck_assert_int_eq(mdm_png_texts(b->data, b->size, hear, &said), MASKDM_OK);
    ck_assert_str_eq(said.data, texts);
    mdm_text_free(&said);
}

#define TEXT(b, name, body) add_chunk(b, name, body, sizeof(body) - 1, 0)

START_TEST(reads_both_kinds)
{
    struct bytes b;

    begin(&b);
    TEXT(&b, "tEXt", "Title\0caf\xe9 \x80");
    TEXT(&b, "iTXt", "Author\0\0\0de\0Autor\0z\xc3\xbc \xe2\x82\xac");
    TEXT(&b, "tEXt", "Empty\0");
    TEXT(&b, "iTXt", "Odd\0\0\0\0\0a\xff\xc3");
    TEXT(&b, "tEXt", "Cut\0one\0two");
    expect(&b, "[Title|caf\xc3\xa9 \xc2\x80][Author|z\xc3\xbc \xe2\x82\xac][Empty|][Odd|a\xef\xbf\xbd\xef\xbf\xbd]"
               "[Cut|one]");
}
END_TEST

START_TEST(passes_over_what_is_none)
{
    struct bytes b;
    char key[90];

    begin(&b);
    TEXT(&b, "tEXt", "no end of the key");
    TEXT(&b, "tEXt", "\0no key");
    TEXT(&b, "tEXt", " blank\0text");
    TEXT(&b, "tEXt", "a\nb\0text");
    TEXT(&b, "tEXt", "caf\xe9\0text");
    TEXT(&b, "zTXt", "Packed\0\0x");
    TEXT(&b, "iTXt", "Packed\0\1\0\0\0x");
    TEXT(&b, "iTXt", "Short\0\0");
    TEXT(&b, "iTXt", "NoKey\0\0\0de\0x");
    TEXT(&b, "iTXt", "NoLanguage\0\0\0de");
    memset(key, 'k', sizeof key);
    key[80] = '\0';
    add_chunk(&b, "tEXt", key, 82, 0);
    key[79] = '\0';
    add_chunk(&b, "tEXt", "Wrong\0sum", 9, 1);
    expect(&b, "");
    add_chunk(&b, "tEXt", key, 80, 0);
    key[79] = '\0';
    ck_assert_uint_eq(strlen(key), 79);
    TEXT(&b, "IEND", "");
    TEXT(&b, "tEXt", "Behind\0end");
    {
        char said[128];

        mdm_format(said, sizeof said, "[%s|]", key);
        expect(&b, said);
    }
}
END_TEST

/* A file may end anywhere, and a length may say anything. */
START_TEST(is_cut_anywhere)
{
    struct bytes b;
    int64_t height, width;
    int channels, bits;

    begin(&b);
    TEXT(&b, "tEXt", "Title\0text");
    ck_assert_int_eq(mdm_png_header(b.data, b.size, &height, &width, &channels, &bits), MASKDM_OK);
    ck_assert(height == 5 && width == 7 && channels == 2 && bits == 16);
    for (size_t n = 8; n < b.size; n++) {
        const struct bytes cut = {.size = 0};
        struct bytes part = cut;

        add(&part, b.data, n);
        expect(&part, "");
        ck_assert_int_eq(mdm_png_header(part.data, n, &height, &width, &channels, &bits),
                         n < 8 + 12 + 13 ? MASKDM_EFORMAT : MASKDM_OK);
    }
    ck_assert_int_eq(mdm_png_texts(b.data, 7, hear, NULL), MASKDM_EFORMAT);
    memset(b.data + 8 + 25, 0xff, 4);
    expect(&b, "");
}
END_TEST

static int refuse(void *user, const char *key, const char *text)
{
    (void)key;
    (void)text;
    ++*(int *)user;
    return MASKDM_ECANCELED;
}

static int hold(void *user, const void *bytes, size_t n)
{
    add(user, bytes, n);
    return MASKDM_OK;
}

START_TEST(reads_what_is_written)
{
    static const struct mdm_png_text text[] = {
        {"Software", "maskdm"}, {"maskdm.options", "{\"label\": \"caf\xc3\xa9\"}"}, {NULL, NULL}};
    struct bytes with = {.size = 0}, without = {.size = 0};
    maskdm_image *m, *again;
    int called = 0;

    ck_assert_int_eq(mdm_image_create(&m, 3, 4, 3), MASKDM_OK);
    m->bits = 8;
    for (int i = 0; i < 36; i++)
        m->sample[i] = (uint16_t)(i * 7 * 257);
    ck_assert_int_eq(mdm_png_encode(m, 8, hold, &without), MASKDM_OK);
    m->text = text;
    ck_assert_int_eq(mdm_png_encode(m, 8, hold, &with), MASKDM_OK);
    expect(&with, "[Software|maskdm][maskdm.options|{\"label\": \"caf\xc3\xa9\"}]");
    expect(&without, "");
    ck_assert_int_eq(mdm_png_texts(with.data, with.size, refuse, &called), MASKDM_ECANCELED);
    ck_assert_int_eq(called, 1);
    ck_assert_int_eq(mdm_image_decode(&again, with.data, with.size, &mdm_reading_standard), MASKDM_OK);
    ck_assert_str_eq(again->remark, "");
    ck_assert_mem_eq(again->sample, m->sample, 36 * sizeof *m->sample);
    mdm_image_free(&again);
    mdm_image_free(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("png_text");
    TCase *c = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_test(c, reads_both_kinds);
    tcase_add_test(c, passes_over_what_is_none);
    tcase_add_test(c, is_cut_anywhere);
    tcase_add_test(c, reads_what_is_written);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
