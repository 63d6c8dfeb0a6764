/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of labels as data sets bring them, and what is wrong with one.
 */
#include "data/label_file.h"

#include "base/alloc.h"
#include "base/error.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name=label ..." of what the text says, or the error's line. */
static const char *read_text(const char *text, const char *attribute)
{
    static char said[600];
    struct mdm_label_list l = {0};
    char *exact = malloc(strlen(text) + 1); /* without a NUL behind it */
    int status;

    memcpy(exact, text, strlen(text));
    status = mdm_label_file_read(&l, exact, strlen(text), attribute, "label_attribute");
    *said = '\0';
    for (int64_t i = 0; i < l.count && status >= 0; i++)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s=%d", i ? " " : "", l.entry[i].name,
                 (int)l.entry[i].label);
    if (status < 0)
        snprintf(said, sizeof said, "%s", mdm_error_text());
    mdm_label_list_free(&l);
    free(exact);
    return said;
}

#define CELEBA "3\nBald Smiling Young\n000001.jpg  1 -1 -1\n000002.jpg -1  1  1\r\n000003.jpg  1  1 -1\n"
#define TABLE "image_id,Bald,Smiling\na.jpg,-1,1\nb.jpg,1,-1"

static const struct {
    const char *text, *attribute, *says;
} file[] = {
    {"000001.jpg 2880\n000002.jpg 2937\n", "", "000001.jpg=2880 000002.jpg=2937"},
    {"n1/0001.jpg\t1\nn1/0002.jpg\t0", "", "n1/0001.jpg=1 n1/0002.jpg=0"},
    {"name,label\na b.jpg, 7\n\n c.jpg ,0\n", "", "a b.jpg=7 c.jpg=0"},
    {"2\na.jpg 1\nb.jpg -1\n", "", "a.jpg=1 b.jpg=0"},
    {CELEBA, "Bald", "000001.jpg=1 000002.jpg=0 000003.jpg=1"},
    {CELEBA, "Young", "000001.jpg=0 000002.jpg=1 000003.jpg=0"},
    {TABLE, "Smiling", "a.jpg=1 b.jpg=0"},
    {TABLE, "Bald", "a.jpg=0 b.jpg=1"},
    {"", "", "there is no line of a name and a label in it"},
    {"\n \n", "", "there is no line of a name and a label in it"},
    {"a.jpg\nb.jpg\n", "", "line 2 has 1 fields, where the names above it are 1"},
    {"3\na.jpg 1\nb.jpg 2\n", "", "it says that it has 3 rows, and has 2"},
    {"a.jpg 1\nb.jpg\n", "", "line 2 has 1 fields, the rows above it 2"},
    {"a.jpg 1\nb.jpg cat\n", "", "line 2: \"cat\" is no label: 0 to 65535, or -1"},
    {"a.jpg 1\nb.jpg 65536\n", "", "line 2: \"65536\" is no label: 0 to 65535, or -1"},
    {"a.jpg 1\nb.jpg -2\n", "", "line 2: \"-2\" is no label: 0 to 65535, or -1"},
    {"a.jpg,1\n,2\n", "", "line 2 names no image"},
    {"a.jpg 1 2\n", "", "line 1 has 3 fields, not a name and a label"},
    {"a.jpg 1 2\n", "Bald", "label_attribute: it has no line with the attributes' names"},
    {CELEBA, "Old", "label_attribute \"Old\" is none of its 3 attributes: Bald, Smiling, Young"},
    {TABLE, "", "label_attribute \"\" is none of its 2 attributes: Bald, Smiling"},
    {"4\nBald Smiling\na.jpg 1 1 1\n", "Bald", "line 3 has 4 fields, where the names above it are 2"},
};

START_TEST(what_files_say)
{
    const long before = mdm_alloc_live();

    ck_assert_str_eq(read_text(file[_i].text, file[_i].attribute), file[_i].says);
    ck_assert_int_eq(mdm_alloc_live(), before);
}
END_TEST

/* However it is cut, it is refused or its rows are the first of the whole. */
START_TEST(cut_anywhere)
{
    char cut[sizeof CELEBA];

    for (size_t n = 0; n < sizeof CELEBA - 1; n++) {
        memcpy(cut, CELEBA, n);
        cut[n] = '\0';
        ck_assert_msg(strncmp(read_text(cut, "Bald"), "000001", 6) || n >= sizeof CELEBA - 4, "%zu: %s", n,
                      read_text(cut, "Bald"));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("label_file");
    TCase *c = tcase_create("label_file");
    SRunner *r;
    int failed;

    tcase_add_loop_test(c, what_files_say, 0, sizeof file / sizeof *file);
    tcase_add_test(c, cut_anywhere);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
