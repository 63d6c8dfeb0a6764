/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tar archives as a source of images: what writers of them write is read, labels come from where they may stand, a
 * cut at any byte and whatever would be read two ways is refused with its place.
 */
#include "tar.h"

#include "base/alloc.h"
#include "data/source.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

static char root[64], lines[4096];
static struct mdm_log log_lines;

static void hear(void *user, int level, const char *line)
{
    size_t n = strlen(lines);

    (void)user;
    snprintf(lines + n, sizeof lines - n, "%d %s\n", level, line);
}

static void begin(void)
{
    strcpy(root, "unit_tar_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
    log_lines.call = hear;
}

static void end(void)
{
    (void)unlink("x.tar");
    ck_assert_int_eq(chdir(".."), 0);
    ck_assert_int_eq(rmdir(root), 0);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}

static void write_file(const void *data, size_t n)
{
    FILE *f = fopen("x.tar", "wb");

    ck_assert(f && fwrite(data, 1, n, f) == n);
    ck_assert_int_eq(fclose(f), 0);
}

/* "NAME:LABEL=BYTES", the bytes as text, of all images; or the error. */
static const char *judge(const void *data, size_t n)
{
    static char text[4096];
    struct mdm_scan s;
    size_t at = 0;

    *text = *lines = '\0';
    if (data)
        write_file(data, n);
    if (mdm_source_find(&s, "x.tar", NULL, &log_lines, NULL) < 0)
        return mdm_error_text();
    for (int64_t i = 0; i < s.count; i++) {
        char bytes[64] = "";

        ck_assert_int_lt(s.file[i].bytes, sizeof bytes);
        ck_assert_int_eq(s.kind->bytes(&s, i, bytes, (size_t)s.file[i].bytes, 0), MASKDM_OK);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s:%d=%s", i ? " " : "", mdm_scan_name(&s, i),
                               (int)s.file[i].label, bytes);
    }
    for (int64_t i = 0; i < s.labels; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, " [%s]", s.label[i]);
    mdm_scan_free(&s);
    return text;
}

/* The archive ends here. */
static const char *judged(struct bytes *b)
{
    const char *text;

    end_tar(b);
    text = judge(b->data, b->size);
    free(b->data);
    *b = (struct bytes){0};
    return text;
}

static void add(struct bytes *b, const char *name, const char *text)
{
    put_tar(b, '0', name, text, strlen(text));
}

START_TEST(folders_are_labels)
{
    struct bytes b = {0};

    put_tar(&b, '5', "./", "", 0);
    add(&b, "./b/1.png", "one");
    put_tar(&b, '5', "./a-b/", "", 0);
    add(&b, "./a-b//0.jpg", "zero");
    add(&b, "./top.png", "t");
    add(&b, "a/./3.JPEG", "");
    add(&b, "a/notes.txt", "n");
    ck_assert_str_eq(judged(&b), "a-b/0.jpg:1=zero a/3.JPEG:0= b/1.png:2=one top.png:-1=t [a] [a-b] [b]");
    ck_assert_str_eq(lines, "");
}
END_TEST

START_TEST(a_folder_around_all)
{
    struct bytes b = {0};

    add(&b, "set/train/b/1.png", "1");
    add(&b, "set/train/a/0.png", "0");
    ck_assert_str_eq(judged(&b), "a/0.png:0=0 b/1.png:1=1 [a] [b]");
    ck_assert_str_eq(lines, "1 all images of x.tar lie below set/train, which is taken for their folder\n");
    add(&b, "cats/1.png", "1");
    ck_assert_str_eq(judged(&b), "cats/1.png:0=1 [cats]");
    add(&b, "set/0.png", "0");
    add(&b, "set/a/1.png", "1");
    ck_assert_str_eq(judged(&b), "0.png:-1=0 a/1.png:0=1 [a]");
}
END_TEST

START_TEST(labels_of_web_data_sets)
{
    struct bytes b = {0};

    add(&b, "x/01.jpg", "1");
    add(&b, "x/01.cls", "2\n");
    add(&b, "x/01.json", "{\"cls\": 7}");
    add(&b, "x/02.seg.png", "2");
    add(&b, "x/02.cls", "0");
    add(&b, "x/03.png", "3");
    add(&b, "._x/03.cls", "\1\2");
    ck_assert_str_eq(judged(&b), "x/01.jpg:2=1 x/02.seg.png:0=2 x/03.png:-1=3 [0] [1] [2]");
    ck_assert_str_eq(lines, "");
    add(&b, "1.json", "{\"caption\": [\"a {dog}\"], \"label\": 1, \"more\": {\"label\": 3}}");
    add(&b, "1.png", "1");
    add(&b, "2.json", "{\"label\": \"dog\"}");
    add(&b, "2.png", "2");
    add(&b, "3.json", "[1, 2");
    add(&b, "4.json", "{\"cls\": 0}");
    ck_assert_str_eq(judged(&b), "1.png:1=1 2.png:-1=2 [0] [1]");
    ck_assert_str_eq(lines, "2 x.tar has 2 labels, of which 1 are of no image, the first 4\n");
    add(&b, "1.png", "1");
    add(&b, "1.cls", "dog");
    ck_assert_str_eq(judged(&b), "x.tar/1.cls: \"dog\" is no label, which is a number of 0 to 65535");
    add(&b, "1.png", "1");
    add(&b, "1.cls", "65536");
    ck_assert_str_eq(judged(&b), "x.tar/1.cls: \"65536\" is no label, which is a number of 0 to 65535");
    add(&b, "1.png", "1");
    add(&b, "1.cls", "1");
    add(&b, "1.cls", "2");
    ck_assert_str_eq(judged(&b), "x.tar: \"1\" has two labels, 1 and 2");
}
END_TEST

static const char very_long[] = "a/long/name/of/more/than/a/hundred/bytes/which/has/no/room/in/the/old/field/and/so/"
                                "stands/elsewhere/in/front/of/it.png";

START_TEST(long_names)
{
    char records[256];
    struct bytes b = {0};

    put_tar(&b, 'L', "././@LongLink", very_long, sizeof very_long);
    add(&b, "a/long/name", "gnu");
    add(&b, "z.png", "z");
    ck_assert_ptr_nonnull(strstr(judged(&b), "in/front/of/it.png:0=gnu z.png:-1=z [a]"));
    snprintf(records, sizeof records, "20 mtime=1234567890\n%zu path=%s\n", sizeof very_long - 1 + 10, very_long);
    put_tar(&b, 'g', "pax_global_header", "20 comment=whatever\n", 20);
    put_tar(&b, 'x', "PaxHeaders/it.png", records, strlen(records));
    add(&b, "a/long/name", "pax");
    add(&b, "z.png", "z");
    ck_assert_ptr_nonnull(strstr(judged(&b), "in/front/of/it.png:0=pax z.png:-1=z [a]"));
    /* The prefix of POSIX's own header. */
    add(&b, "1.png", "1");
    memcpy(b.data + 345, "folder", 6);
    sum_tar(b.data);
    ck_assert_str_eq(judged(&b), "folder/1.png:0=1 [folder]");
    /* A size of 95 bits, as GNU writes large ones, and one of pax's. */
    add(&b, "1.png", "12345");
    memcpy(b.data + 124, "\x80\0\0\0\0\0\0\0\0\0\0\5", 12);
    sum_tar(b.data);
    put_tar(&b, 'x', "p", "9 size=3\n", 9);
    add(&b, "2.png", "123");
    memcpy(b.data + 1024 + 1024 + 124, "00000000000", 11);
    sum_tar(b.data + 1024 + 1024);
    ck_assert_str_eq(judged(&b), "1.png:-1=12345 2.png:-1=123");
}
END_TEST

START_TEST(what_is_left_out)
{
    struct bytes b = {0};

    add(&b, "1.png", "1");
    add(&b, "._1.png", "apple");
    add(&b, "2.gif", "g");
    put_tar(&b, '2', "3.png", "", 0);
    put_tar(&b, '1', "4.png", "", 0);
    put_tar(&b, '6', "5.png", "", 0);
    put_tar(&b, '3', "6.png", "", 0);
    put_tar(&b, '2', "library.so", "", 0);
    put_tar(&b, 'V', "volume", "", 0);
    ck_assert_str_eq(judged(&b), "1.png:-1=1");
    ck_assert_str_eq(lines, "2 left out: 1 FIFO, x.tar/5.png\n"
                            "2 left out: 1 device, x.tar/6.png\n"
                            "1 left out: 1 hidden image, x.tar/._1.png\n"
                            "2 left out: 2 links in an archive, the first x.tar/3.png\n"
                            "2 left out: 1 .gif file, a format that is not read, x.tar/2.gif\n");
    add(&b, "2.gif", "g");
    ck_assert_str_eq(judged(&b), "no PNG, JPEG or WebP file below \"x.tar\", but 1 .gif file, a format that is not "
                                 "read, x.tar/2.gif");
    ck_assert_str_eq(judged(&b), "no PNG, JPEG or WebP file below \"x.tar\"");
}
END_TEST

static const struct {
    const char *name;
    char type;
    const char *line;
} hostile[] = {
    {"../1.png", '0', "x.tar: the entry at byte 1024, \"../1.png\" of 8 bytes, leads outside"},
    {"a/../../1.png", '0', "x.tar: the entry at byte 1024, \"a/../../1.png\" of 13 bytes, leads outside"},
    {"a/..", '5', "x.tar: the entry at byte 1024, \"a/..\" of 4 bytes, leads outside"},
    {"/etc/1.png", '0',
     "x.tar: the entry at byte 1024, \"/etc/1.png\" of 10 bytes, leads outside: its name is that of the whole "
     "system's"},
    {"1.png", '0', "x.tar/1.png is there twice, at bytes 512 and 1536"},
    {".//1.png", '0', "x.tar/1.png is there twice, at bytes 512 and 1536"},
    {"s.png", 'S', "x.tar: the entry at byte 1024, s.png, is of type 'S', which is not read"},
    {"m.png", 'M', "x.tar: the entry at byte 1024, m.png, is of type 'M', which is not read"},
};

START_TEST(hostile_entries)
{
    struct bytes b = {0};

    add(&b, "1.png", "1");
    put_tar(&b, hostile[_i].type, hostile[_i].name, "", 0);
    ck_assert_str_eq(judged(&b), hostile[_i].line);
}
END_TEST

static const struct {
    const char *records, *line;
} pax[] = {
    {"11 path=x\n", "x.tar, at byte 0: a pax record is not LENGTH KEY=VALUE at its byte 0"},
    {"0 path=x\n", "x.tar, at byte 0: a pax record is not LENGTH KEY=VALUE at its byte 0"},
    {"9 path=x\n", "no PNG, JPEG or WebP file below \"x.tar\""},
    {"99999999999999999999 path=x\n", "x.tar, at byte 0: a pax record is not LENGTH KEY=VALUE at its byte 0"},
    {"8 pathx\n", "x.tar, at byte 0: a pax record is not LENGTH KEY=VALUE at its byte 0"},
    {"28 size=9223372036854775808\n", "x.tar, at byte 0: a pax record gives a size of 9223372036854775808 bytes"},
    {"9 size=x\n", "x.tar, at byte 0: a pax record gives a size that is no number"},
    {"28 size=9223372036854775807\n",
     "x.tar is cut: \"1.png\" has 9223372036854775807 bytes from byte 1536 on, the file "
     "ends at 3072"},
    {"22 GNU.sparse.major=1\n", "x.tar, at byte 0: a file that is stored with holes, which is not read"},
    {"14 path=../x.\n", "x.tar: the entry at byte 1024, \"../x.\" of 5 bytes, leads outside"},
};

START_TEST(hostile_records)
{
    struct bytes b = {0};

    put_tar(&b, 'x', "p", pax[_i].records, strlen(pax[_i].records));
    add(&b, "1.png", "1");
    ck_assert_str_eq(judged(&b), pax[_i].line);
}
END_TEST

/* Every byte up to the end of the second block of zeros is missed. */
START_TEST(every_cut)
{
    struct bytes b = {0};
    size_t whole;

    add(&b, "a/1.png", "1");
    put_tar(&b, 'x', "p", "16 path=b/2.png\n", 16);
    add(&b, "2", "2");
    add(&b, "a/1.cls", "1");
    end_tar(&b);
    whole = b.size;
    put(&b, "\0\0\0", 3);
    write_file(b.data, b.size);
    for (size_t n = b.size; n-- > 0;) {
        const char *text;

        ck_assert_int_eq(truncate("x.tar", (off_t)n), 0);
        text = judge(NULL, 0);

        if (n >= whole)
            ck_assert_str_eq(text, "a/1.png:1=1 b/2.png:-1=2 [0] [1]");
        else
            ck_assert_msg(strncmp(text, "x.tar is cut: ", 14) == 0, "%zu of %zu: %s", n, whole, text);
    }
    free(b.data);
}
END_TEST

START_TEST(damage)
{
    struct bytes b = {0};

    add(&b, "1.png", "1");
    add(&b, "2.png", "2");
    b.data[1024 + 3] ^= 1;
    ck_assert_str_eq(judged(&b), "x.tar is damaged: what stands at byte 1024 of 3072 is no header of a tar entry");
    add(&b, "1.png", "1");
    end_tar(&b);
    add(&b, "2.png", "2");
    ck_assert_str_eq(
        judged(&b),
        "x.tar ends as a tar archive at byte 1024 of 4096, but has more behind that: were several joined?");
    ck_assert_str_eq(
        judge("\x1f\x8b\x08", 3),
        "x.tar is cut: at byte 0 of 3 there is neither an entry nor the two blocks of zeros that end a tar archive");
}
END_TEST

struct asked {
    size_t most, all;
};

static int count_bytes(void *user, size_t bytes)
{
    struct asked *a = user;

    a->most = bytes > a->most ? bytes : a->most;
    a->all += bytes;
    return 0;
}

/* What is held of an archive is its list: nothing grows with its bytes, and all that was ever asked for is linear. */
START_TEST(many_entries_in_bounded_memory)
{
    enum { ENTRIES = 20000, BYTES = 3000 };
    static const unsigned char data[BYTES] = {1};
    struct asked asked = {0, 0};
    struct mdm_alloc_hook hook = {count_bytes, &asked};
    struct bytes b = {0};
    struct mdm_scan s;
    char name[64];
    int r;

    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "%d/%06d.png", i % 10, (i * 7919) % ENTRIES);
        put_tar(&b, '0', name, data, sizeof data);
    }
    end_tar(&b);
    write_file(b.data, b.size);
    mdm_alloc_hook_set(&hook);
    r = mdm_source_find(&s, "x.tar", NULL, &log_lines, NULL);
    mdm_alloc_hook_set(NULL);
    ck_assert_int_eq(r, MASKDM_OK);
    ck_assert_int_eq(s.count, ENTRIES);
    ck_assert_int_eq(s.labels, 10);
    ck_assert_uint_lt(asked.most, ENTRIES * 128);
    ck_assert_uint_lt(asked.all, ENTRIES * 400);
    ck_assert_uint_gt(b.size, 5 * asked.all);
    for (int64_t i = 1; i < s.count; i++)
        ck_assert_int_lt(strcmp(s.file[i - 1].path, s.file[i].path), 0);
    mdm_scan_free(&s);
    free(b.data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tar");
    TCase *t = tcase_create("tar");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, folders_are_labels);
    tcase_add_test(t, a_folder_around_all);
    tcase_add_test(t, labels_of_web_data_sets);
    tcase_add_test(t, long_names);
    tcase_add_test(t, what_is_left_out);
    tcase_add_loop_test(t, hostile_entries, 0, (int)MDM_LENGTH(hostile));
    tcase_add_loop_test(t, hostile_records, 0, (int)MDM_LENGTH(pax));
    tcase_add_test(t, every_cut);
    tcase_add_test(t, damage);
    tcase_add_test(t, many_entries_in_bounded_memory);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
