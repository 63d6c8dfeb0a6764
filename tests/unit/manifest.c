/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of a run's data: what is written, the first difference between two, and what damage leads to.
 */
#include "base/format.h"
#include "data/manifest.h"

#include "base/alloc.h"
#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 4 };

/* A data set of which only the list is looked at. */
struct rig {
    maskdm_data data;
    struct mdm_scan scan;
    struct mdm_scan_file file[8];
    char *label[4];
};

static void add(struct rig *r, const char *path, int64_t bytes, int32_t label)
{
    r->file[r->scan.count++] = (struct mdm_scan_file){(char *)path, bytes, 0xabc, label, 0, 0};
}

static void begin(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->scan.file = r->file;
    r->scan.label = r->label;
    r->scan.root = 2; /* "d/" */
    r->label[0] = (char *)"a";
    r->label[1] = (char *)"b\xe9";
    r->scan.labels = 2;
    r->data.files = &r->scan;
    r->data.height = r->data.width = SIDE;
    r->data.channels = 3;
    add(r, "d/0.png", 10, -1);
    add(r, "d/a/\"1\".png", 20, 0);
    add(r, "d/b\xe9/2.png", 30, 1);
}

static struct mdm_text written(struct rig *r)
{
    struct mdm_text t = {0};

    if (r->data.files) {
        mdm_scan_settle(&r->scan);
        r->data.count = r->scan.count;
        r->scan.digest = mdm_scan_digest(&r->scan);
    }
    ck_assert_int_eq(mdm_manifest_write(&r->data, &t), MASKDM_OK);
    return t;
}

static const char *between(const struct mdm_text *a, const struct mdm_text *b)
{
    static char out[512];
    struct mdm_text t = {0};
    int status = mdm_manifest_difference(&t, a->data, a->length, b->data, b->length);

    mdm_format(out, sizeof out, "%s", status < 0 ? mdm_error_text() : t.data ? t.data : "");
    mdm_text_free(&t);
    return out;
}

/* What is said of the rig, changed by `change`, beside the rig as it began. */
static const char *after(void (*change)(struct rig *r))
{
    struct rig old, now;
    struct mdm_text a, b;
    const char *said;

    begin(&old);
    begin(&now);
    a = written(&old);
    change(&now);
    b = written(&now);
    said = between(&a, &b);
    mdm_text_free(&a);
    mdm_text_free(&b);
    return said;
}

static void nothing(struct rig *r)
{
    r->scan.root = 4; /* the folder moved, and is spelt otherwise */
    r->file[1].path = (char *)"..//a/\"1\".png";
    r->file[2].path = (char *)"..//b\xe9/2.png";
    r->file[0].path = (char *)"..//0.png";
}

static void gone(struct rig *r)
{
    r->file[1] = r->file[2];
    r->scan.count = 2;
}

static void fresh(struct rig *r)
{
    add(r, "d/z.png", 40, -1);
}

static void fresh_first(struct rig *r)
{
    add(r, "d/+.png", 40, -1);
}

static void larger(struct rig *r)
{
    r->file[2].bytes = 31;
}

static void other_bytes(struct rig *r)
{
    r->file[1].mark++;
}

static void relabelled(struct rig *r)
{
    r->file[2].label = 0;
}

static void broken(struct rig *r)
{
    r->file[1].left_out = 1;
}

static void renamed_label(struct rig *r)
{
    r->label[1] = (char *)"c";
}

static void fewer_labels(struct rig *r)
{
    r->scan.labels = 1;
    r->scan.count = 2;
}

static void more_labels(struct rig *r)
{
    r->label[2] = (char *)"c";
    r->scan.labels = 3;
    add(r, "d/c/0.png", 1, 2);
}

static void from_the_host(struct rig *r)
{
    r->data.files = NULL;
    r->data.count = 3;
}

START_TEST(the_first_difference)
{
    static const struct {
        void (*change)(struct rig *r);
        const char *said;
    } row[] = {{nothing, ""},
               {gone, "a/\"1\".png is gone"},
               {fresh, "z.png is new"},
               {fresh_first, "+.png is new"},
               {larger, "b\xe9/2.png had 30 bytes and has 31"},
               {other_bytes, "a/\"1\".png has other bytes than it had"},
               {relabelled, "b\xe9/2.png had label 1 and has 0"},
               {broken, "a/\"1\".png was read and is left out"},
               {renamed_label, ""}, /* by itself impossible: the names of the files hold it */
               {fewer_labels, "label 1, \"b\xe9\", is gone"},
               {more_labels, "label 2, \"c\", is new"},
               {from_the_host, "the images were files and come from the host"}};

    for (size_t i = 0; i < MDM_LENGTH(row); i++)
        ck_assert_str_eq(after(row[i].change), row[i].said);
}
END_TEST

START_TEST(what_is_written)
{
    struct rig r;
    struct mdm_text t;

    begin(&r);
    r.file[1].left_out = 1;
    t = written(&r);
    ck_assert_ptr_nonnull(strstr(t.data, "{\"format\": 1, \"identity\": \"2 images of 4 x 4 x 3, "));
    ck_assert_ptr_nonnull(strstr(t.data, ", without 1, "));
    ck_assert_ptr_nonnull(strstr(t.data, ",\n\"labels\": [\"a\", \"b\\uefe9\"],\n\"files\": [\n"
                                         "[\"0.png\", 10, null, \"0000000000000abc\"],\n"
                                         "[\"a/\\\"1\\\".png\", 20, 0, \"0000000000000abc\", false],\n"
                                         "[\"b\\uefe9/2.png\", 30, 1, \"0000000000000abc\"]\n]}\n"));
    mdm_text_free(&t);
}
END_TEST

/* Two of equal number, of which the one or the other could not be read. */
START_TEST(which_are_broken_counts)
{
    struct rig a, b;
    struct mdm_text s, t;

    begin(&a);
    begin(&b);
    a.file[0].left_out = b.file[1].left_out = 1;
    s = written(&a);
    t = written(&b);
    ck_assert_str_eq(between(&s, &t), "0.png was left out and is read");
    mdm_text_free(&s);
    mdm_text_free(&t);
}
END_TEST

START_TEST(known_files)
{
    static void (*const change[])(struct rig *r) = {gone, fresh, fresh_first, larger, other_bytes, relabelled};
    struct rig old, now;
    struct mdm_text t;

    begin(&old);
    old.file[1].left_out = 1;
    t = written(&old);
    begin(&now);
    nothing(&now);
    ck_assert_int_eq(mdm_manifest_knows(&now.scan, t.data, t.length), 1);
    ck_assert(now.scan.count == 2 && now.scan.broken == 1);
    ck_assert_str_eq(mdm_scan_name(&now.scan, 2), "a/\"1\".png");
    for (size_t i = 0; i < MDM_LENGTH(change); i++) {
        begin(&now);
        change[i](&now);
        mdm_scan_settle(&now.scan);
        ck_assert_int_eq(mdm_manifest_knows(&now.scan, t.data, t.length), 0);
        for (int64_t k = 0; k < now.scan.count; k++)
            ck_assert(!now.file[k].left_out);
        ck_assert(now.scan.broken == 0);
    }
    for (size_t n = 0; n < t.length - 5; n++) {
        begin(&now);
        ck_assert_int_eq(mdm_manifest_knows(&now.scan, t.data, n), 0);
    }
    mdm_text_free(&t);
}
END_TEST

START_TEST(images_of_the_host)
{
    static const int32_t label[] = {0, -1, 2}, other[] = {0, -1, 3};
    maskdm_data a = {.count = 3, .height = SIDE, .width = SIDE, .channels = 3, .known = label, .known_labels = 3};
    maskdm_data b = a;
    struct mdm_text s = {0}, t = {0};

    b.known = other;
    ck_assert_int_eq(mdm_manifest_write(&a, &s), MASKDM_OK);
    ck_assert_int_eq(mdm_manifest_write(&b, &t), MASKDM_OK);
    ck_assert_str_eq(between(&s, &s), "");
    ck_assert_str_eq(between(&s, &t), "image 2 had label 2 and has 3");
    mdm_text_free(&t);
    b.known = NULL;
    b.known_labels = 0;
    ck_assert_int_eq(mdm_manifest_write(&b, &t), MASKDM_OK);
    ck_assert_str_eq(between(&s, &t), "the images had labels and have none");
    ck_assert_str_eq(between(&t, &s), "the images had no labels and have some");
    mdm_text_free(&s);
    b.count = 4;
    ck_assert_int_eq(mdm_manifest_write(&b, &s), MASKDM_OK);
    ck_assert_ptr_nonnull(strstr(between(&t, &s), "there were 3 images of 4 x 4 x 3, "));
    ck_assert_ptr_nonnull(strstr(between(&t, &s), " and are 4 images of 4 x 4 x 3, "));
    mdm_text_free(&s);
    mdm_text_free(&t);
}
END_TEST

START_TEST(another_format)
{
    struct mdm_text now, t = {0};
    const char *at;
    struct rig r;

    begin(&r);
    now = written(&r);
    at = strstr(now.data, ": 1, ");
    ck_assert_ptr_nonnull(at);
    now.data[at + 2 - now.data] = '7';
    ck_assert_int_eq(mdm_manifest_difference(&t, now.data, now.length, now.data, now.length), MASKDM_EVERSION);
    ck_assert_str_eq(mdm_error_text(), "a list of data in format 7; format 1 is read");
    ck_assert_int_eq(mdm_manifest_difference(&t, "{\"identity\": \"x\"}", 17, now.data, now.length), MASKDM_EVERSION);
    ck_assert_str_eq(mdm_error_text(), "a list of data in format 0; format 1 is read");
    mdm_text_free(&now);
}
END_TEST

/* Cut anywhere or with any byte changed, a list gives a difference or an error and nothing else. */
START_TEST(damage)
{
    struct rig r, s;
    struct mdm_text old, now, cut;

    begin(&r);
    begin(&s);
    old = written(&r);
    fresh(&s);
    now = written(&s);
    for (size_t n = 0; n < old.length; n++) {
        cut = old;
        cut.length = n;
        ck_assert_str_ne(between(&cut, &now), "");
    }
    for (size_t k = 0; k < old.length; k++) {
        char before = old.data[k];

        for (int x = 1; x < 256; x <<= 1) {
            old.data[k] = (char)(before ^ x);
            ck_assert_str_ne(between(&old, &now), "");
        }
        old.data[k] = before;
    }
    mdm_text_free(&old);
    mdm_text_free(&now);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- == 0;
}

START_TEST(memory_may_end_anywhere)
{
    struct rig r, s;
    struct mdm_text old, now;
    int status = MASKDM_ENOMEM;

    begin(&r);
    begin(&s);
    old = written(&r);
    larger(&s);
    now = written(&s);
    for (int i = 0; status != MASKDM_OK; i++) {
        int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};
        struct mdm_text t = {0};

        ck_assert_int_lt(i, 100);
        mdm_alloc_hook_set(&hook);
        status = mdm_manifest_difference(&t, old.data, old.length, now.data, now.length);
        mdm_alloc_hook_set(NULL);
        ck_assert(status == MASKDM_OK || status == MASKDM_ENOMEM);
        mdm_text_free(&t);
        ck_assert_int_eq(mdm_alloc_live(), 2);
    }
    mdm_text_free(&old);
    mdm_text_free(&now);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("manifest");
    TCase *t = tcase_create("manifest");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_test(t, the_first_difference);
    tcase_add_test(t, what_is_written);
    tcase_add_test(t, which_are_broken_counts);
    tcase_add_test(t, known_files);
    tcase_add_test(t, images_of_the_host);
    tcase_add_test(t, another_format);
    tcase_add_test(t, damage);
    tcase_add_test(t, memory_may_end_anywhere);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
