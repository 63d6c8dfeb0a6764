/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Betas from a file and from a list: what a file may hold, what damage leads to, and that what is made of them keeps
 * the numbers and needs the file no more.
 */
#include "diffusion/discrete_betas.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/format.h"
#include "diffusion/discrete_betas_file.h"
#include "diffusion/scheduler.h"
#include "text/text.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256], path[300];

static void setup(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/maskdm-betas-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/betas.txt", folder);
}

static void teardown(void)
{
    remove(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(texts)
{
    static const char text[] = "# from another program\n\n1e-4\n  0.002\t\r\n\t0.5 \n#0.7\n1";
    const double wanted[] = {1e-4, 0.002, 0.5, 1};
    double *beta;
    int64_t count;

    ck_assert_int_eq(mdm_betas_parse(&beta, &count, text, sizeof text - 1), MASKDM_OK);
    ck_assert_int_eq(count, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq(beta[i], wanted[i]);
    mdm_free(beta);
}
END_TEST

START_TEST(texts_that_are_none)
{
    static const struct {
        const char *text, *line;
        size_t n; /* 0: as long as the text */
    } cases[] = {{"", "no betas in it", 0},
                 {"# nothing\n\n \t\r\n", "no betas in it", 0},
                 {"0.1\n0.2 0.3\n", "line 2 is no number: \"0.2 0.3\"", 0},
                 {"0.1,0.2\n", "line 1 is no number: \"0.1,0.2\"", 0},
                 {"[0.1]", "line 1 is no number: \"[0.1]\"", 0},
                 {"0.1\nnan\n", "line 2 is no number: \"nan\"", 0},
                 {"0.1\n1e999\n", "line 2 is no number: \"1e999\"", 0},
                 {"0x1p-3\n", "line 1 is no number: \"0x1p-3\"", 0},
                 {"0.1\n0.1\0", "line 2 is no number: \"0.1\"", 8},
                 {"\xef\xbb\xbf"
                  "0.1\n",
                  "line 1 is no number: \"\xef\xbb\xbf"
                  "0.1\"",
                  0},
                 {"0.1\n0.11111111111111111111111111111111111111111111111111111111111111111111111111\n",
                  "line 2 is no number: \"0.111111111111111111\"", 0}};
    const long live = mdm_alloc_live();

    for (size_t i = 0; i < MDM_LENGTH(cases); i++) {
        const size_t n = cases[i].n ? cases[i].n : strlen(cases[i].text);
        double *beta;
        int64_t count;

        ck_assert_int_eq(mdm_betas_parse(&beta, &count, cases[i].text, n), MASKDM_EFORMAT);
        ck_assert_str_eq(mdm_error_text(), cases[i].line);
        ck_assert_ptr_null(beta);
    }
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

START_TEST(too_many)
{
    char *text = malloc(2 * ((size_t)MDM_MOST_BETAS + 1));
    double *beta;
    int64_t count;

    ck_assert_ptr_nonnull(text);
    for (int i = 0; i <= MDM_MOST_BETAS; i++)
        memcpy(text + 2 * i, "1\n", 2);
    ck_assert_int_eq(mdm_betas_parse(&beta, &count, text, 2 * (size_t)MDM_MOST_BETAS), MASKDM_OK);
    ck_assert_int_eq(count, MDM_MOST_BETAS);
    mdm_free(beta);
    ck_assert_int_eq(mdm_betas_parse(&beta, &count, text, 2 * ((size_t)MDM_MOST_BETAS + 1)), MASKDM_EFORMAT);
    ck_assert_str_eq(mdm_error_text(), "more than 100000 betas");
    free(text);
}
END_TEST

static int make(maskdm_scheduler **out, const char *text)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s", maskdm_last_error());
    status = maskdm_scheduler_create(out, o);
    maskdm_options_release(&o);
    return status;
}

static void refuse(const char *text, int status, const char *line)
{
    maskdm_scheduler *s;

    ck_assert_int_eq(make(&s, text), status);
    ck_assert_str_eq(maskdm_last_error(), line);
    ck_assert_ptr_null(s);
}

/* What the scheduler keeps makes it again where the file is gone. */
START_TEST(a_file_is_read_once)
{
    char options[400];
    maskdm_scheduler *s, *again;
    struct mdm_text kept = {0};
    double abar[3];

    put("0.0001\n0.25\n0.5\n");
    snprintf(options, sizeof options, "schedule=given betas_file=%s", path);
    ck_assert_int_eq(make(&s, options), MASKDM_OK);
    remove(path);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 3), 3);
    ck_assert_double_eq(abar[2], (1 - 0.0001) * 0.75 * 0.5);
    ck_assert_ptr_nonnull(strstr(mdm_options_text(s->options, "given_betas"), "0.0001,0.25,0.5"));
    mdm_options_write_json(s->options, &kept);
    ck_assert_int_eq(mdm_text_ok(&kept), MASKDM_OK);
    ck_assert_ptr_null(strstr(kept.data, "betas_file"));
    ck_assert_ptr_nonnull(strstr(kept.data, "\"timesteps\": 3"));
    mdm_scheduler_drop(&s);
    {
        maskdm_options *o;

        ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
        ck_assert_int_eq(mdm_options_parse_json(o, kept.data, kept.length), MASKDM_OK);
        ck_assert_int_eq(maskdm_scheduler_create(&again, o), MASKDM_OK);
        maskdm_options_release(&o);
    }
    ck_assert_int_eq(maskdm_scheduler_table(again, "alphas_cumprod", abar, 3), 3);
    ck_assert_double_eq(abar[2], (1 - 0.0001) * 0.75 * 0.5);
    mdm_scheduler_drop(&again);
    mdm_text_free(&kept);
}
END_TEST

START_TEST(files_that_are_refused)
{
    char options[400], line[400];

    snprintf(options, sizeof options, "schedule=given betas_file=%s", path);
    snprintf(line, sizeof line, "there is no file %s", path);
    ck_assert_int_eq(make(&(maskdm_scheduler *){NULL}, options), MASKDM_ENOTFOUND);
    put("0.1\noops\n");
    snprintf(line, sizeof line, "%s: line 2 is no number: \"oops\"", path);
    refuse(options, MASKDM_EFORMAT, line);
    put("0.1\n2\n");
    snprintf(line, sizeof line, "option given_betas is 2; its range is 0 .. 1");
    refuse(options, MASKDM_EINVAL, line);
    put("0.1\n0.2\n");
    snprintf(options, sizeof options, "schedule=given betas_file=%s timesteps=3", path);
    refuse(options, MASKDM_EINVAL, "timesteps is 3, and 2 betas are given: there are as many times as betas");
    snprintf(options, sizeof options, "schedule=given betas_file=%s given_betas=0.1", path);
    refuse(options, MASKDM_EINVAL, "schedule given needs betas_file or given_betas, not both");
    refuse("schedule=given", MASKDM_EINVAL, "schedule given needs betas_file or given_betas");
    refuse("schedule=given given_betas=0.1,0.5,0.2,1,0.3", MASKDM_EINVAL,
           "beta 4 of 5 is 1: each lies between 0 and 1, and only the last may be 1");
}
END_TEST

/* A predicted noise says nothing of the image where there is nothing but noise. */
START_TEST(noise_at_zero_snr)
{
    static const char why[] =
        "prediction noise has no meaning where nothing of the image is left at the last time, 2 "
        "(zero_terminal_snr, or a last beta of 1); x0 and v have";
    maskdm_scheduler *s;
    const double last = 2;
    double weight;

    refuse("schedule=given given_betas=0.1,0.5,1", MASKDM_EINVAL, why);
    refuse("schedule=scaled_linear timesteps=3 zero_terminal_snr=true prediction=noise", MASKDM_EINVAL, why);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(make(&s, i ? "schedule=scaled_linear timesteps=3 zero_terminal_snr=true prediction=x0 "
                                      "weight=min_snr"
                                    : "schedule=given given_betas=0.1,0.5,1 prediction=v weight=min_snr"),
                         MASKDM_OK);
        ck_assert_int_eq(maskdm_scheduler_factors(s, "loss_weight", 1, &last, &weight), MASKDM_OK);
        ck_assert_double_eq(weight, 0);
        ck_assert_int_eq(maskdm_scheduler_factors(s, "signal", 1, &last, &weight), MASKDM_OK);
        ck_assert_double_eq(weight, 0);
        mdm_scheduler_drop(&s);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("betas");
    TCase *c = tcase_create("betas");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, texts);
    tcase_add_test(c, texts_that_are_none);
    tcase_add_test(c, too_many);
    tcase_add_test(c, a_file_is_read_once);
    tcase_add_test(c, files_that_are_refused);
    tcase_add_test(c, noise_at_zero_snr);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
