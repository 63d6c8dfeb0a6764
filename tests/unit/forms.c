/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of sizes, modes and endings: the same whatever the order, and bounded.
 */
#include "data/endings.h"
#include "data/forms.h"

#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct mdm_text said;

static void hear(void *user, int level, const char *line)
{
    (void)user;
    ck_assert_int_eq(level, MASKDM_LOG_INFO);
    mdm_text_addf(&said, "%s\n", line);
}

static const struct mdm_log log_lines = {hear, NULL};

static void says(const char *what)
{
    ck_assert_str_eq(said.data ? said.data : "", what);
    mdm_text_free(&said);
}

static void add(struct mdm_forms *f, int64_t height, int64_t width, int channels, int bits, int64_t count)
{
    mdm_forms_add(f, &(struct mdm_image_form){height, width, channels, bits}, count);
}

START_TEST(forms)
{
    struct mdm_forms f;

    mdm_forms_begin(&f);
    mdm_forms_tell(&f, &log_lines);
    says("");
    add(&f, 0, 0, 0, 0, 1); /* of nowhere */
    add(&f, 40, 30, 1, 8, 2);
    add(&f, 32, 32, 3, 8, 18);
    mdm_forms_tell(&f, &log_lines);
    says("sizes 32x32 (18), 40x30 (2); RGB 18, grey 2\n");
    add(&f, 30, 40, 4, 16, 2);
    add(&f, 1, 1, 2, 8, 1);
    add(&f, 2, 1, 2, 8, 1);
    add(&f, 1, 2, 3, 16, 1);
    mdm_forms_tell(&f, &log_lines);
    says("sizes 32x32 (18), 30x40 (2), 40x30 (2), 1x1 (1), 2 others (2); "
         "RGBA of 16 bits 2, RGB 18, RGB of 16 bits 1, grey and alpha 2, grey 2\n");
    for (int i = 0; i < MDM_FORMS_SIZES; i++)
        add(&f, 100 + i, 200, 3, 8, 1);
    mdm_forms_tell(&f, &log_lines);
    says("sizes of many kinds, 1 to 163 high and 1 to 200 wide; RGBA of 16 bits 2, RGB 82, RGB of 16 bits 1, "
         "grey and alpha 2, grey 2\n");
    mdm_forms_end(&f);
}
END_TEST

START_TEST(endings)
{
    static const char *const names[] = {"a/b.TXT", "c.txt", ".profile",         "README", "x.tar.mp4",
                                        "d.e/f",   "z.txt", "y.muchtoolongone"};
    struct mdm_endings e = {0}, more = {0};
    char name[16];

    mdm_endings_tell(&e, &log_lines);
    says("");
    for (size_t i = 0; i < MDM_LENGTH(names); i++)
        mdm_endings_add(&e, names[i]);
    mdm_endings_tell(&e, &log_lines);
    says("ignored as no images: no ending 3, .txt 3, .mp4 1, others 1\n");
    for (int i = 0; i < MDM_ENDINGS + 3; i++) {
        mdm_format(name, sizeof name, "x.%02d", i);
        mdm_endings_add(&more, name);
    }
    ck_assert_int_eq(more.kinds, MDM_ENDINGS);
    ck_assert_int_eq(more.others, 3);
    mdm_endings_join(&e, &more);
    mdm_endings_tell(&e, &log_lines);
    says("ignored as no images: no ending 3, .txt 3, .00 1, .01 1, .02 1, .03 1, others 33\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("forms");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_test(t, forms);
    tcase_add_test(t, endings);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
