/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_survey() does: find, look at every file, count, show.
 */
#include "run/survey.h"

#include "base/alloc.h"
#include "base/sort.h"
#include "data/find.h"
#include "data/options.h"
#include "data/reading.h"
#include "run/device.h"
#include "run/evaluate.h"
#include "run/samples.h"

enum { SHOWN = 8 /* kinds of a thing that are told one by one, the most frequent first */ };

struct survey {
    const maskdm_options *options;
    struct mdm_survey_run_options told;
    maskdm_control *control;
    maskdm_device *device;
    struct mdm_scan scan;
    struct mdm_survey_file *file;
    int64_t *order, *copies; /* scratch: files in an order, and how many are alike */
    int64_t readable, transparent;
    struct mdm_page page;
};

/* ---- what many files share ---- */

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_size(const void *user, int64_t a, int64_t b)
{
    const struct mdm_survey_file *f = user, *x = &f[a], *y = &f[b];

    return x->width != y->width ? sign(x->width, y->width) : sign(x->height, y->height);
}

static int by_mode(const void *user, int64_t a, int64_t b)
{
    const struct mdm_survey_file *f = user, *x = &f[a], *y = &f[b];

    return x->channels != y->channels ? sign(x->channels, y->channels) : sign(x->bits, y->bits);
}

static int by_digest(const void *user, int64_t a, int64_t b)
{
    const struct mdm_survey_file *f = user;

    return (f[a].digest > f[b].digest) - (f[a].digest < f[b].digest);
}

/* As image_size takes them. */
static void name_size(char *out, size_t capacity, const struct mdm_survey_file *f)
{
    mdm_format(out, capacity, "%lld x %lld", (long long)f->height, (long long)f->width);
}

static void name_mode(char *out, size_t capacity, const struct mdm_survey_file *f)
{
    mdm_format(out, capacity, "%s, %d bits", mdm_image_mode(f->channels), f->bits);
}

/* Files that can be read, in an order that brings alike ones together; returns how many kinds there are, whose first
 * places stand in s->order and whose numbers in s->copies. */
static int64_t group(struct survey *s, mdm_compare *order)
{
    int64_t n = 0, kinds = 0;

    for (int64_t i = 0; i < s->scan.count; i++)
        if (!s->file[i].broken)
            s->order[n++] = i;
    mdm_sort(s->order, n, order, s->file);
    for (int64_t i = 0; i < n; i++) {
        if (!kinds || order(s->file, s->order[kinds - 1], s->order[i])) {
            s->order[kinds] = s->order[i];
            s->copies[kinds++] = 0;
        }
        s->copies[kinds - 1]++;
    }
    return kinds;
}

static int64_t most_frequent(const struct survey *s, int64_t kinds)
{
    int64_t best = 0;

    for (int64_t k = 1; k < kinds; k++)
        if (s->copies[k] > s->copies[best])
            best = k;
    return best;
}

/* "sizes", then the most frequent of them with how often. */
static void tell_kinds(struct survey *s, const char *what, mdm_compare *order,
                       void (*name)(char *out, size_t capacity, const struct mdm_survey_file *f))
{
    const int64_t kinds = group(s, order);
    int64_t left = s->readable;
    char text[64];

    mdm_page_begin(&s->page, what);
    for (int64_t told = 0; told < kinds && told < SHOWN; told++) {
        const int64_t k = most_frequent(s, kinds);

        name(text, sizeof text, &s->file[s->order[k]]);
        mdm_page_count(&s->page, text, s->copies[k]);
        left -= s->copies[k];
        s->copies[k] = 0;
    }
    if (kinds > SHOWN) {
        mdm_format(text, sizeof text, "others, of %lld kinds", (long long)(kinds - SHOWN));
        mdm_page_count(&s->page, text, left);
    }
    mdm_page_end(&s->page);
}

/* Equal pixels; the first of them by name. */
static void tell_duplicates(struct survey *s)
{
    const int64_t kinds = group(s, by_digest);
    int64_t copies = 0, first = -1;

    for (int64_t k = 0; k < kinds; k++)
        if (s->copies[k] > 1) {
            copies += s->copies[k] - 1;
            first = first < 0 ? k : first;
        }
    mdm_page_count(&s->page, "duplicates", copies);
    if (first < 0)
        return;
    for (int64_t i = 0, named = 0; i < s->scan.count && named < 2; i++)
        if (!s->file[i].broken && s->file[i].digest == s->file[s->order[first]].digest)
            mdm_page_path(&s->page, named++ ? "duplicate_is" : "duplicate_of", s->scan.file[i].path);
}

static void tell_ignored(struct survey *s)
{
    const struct mdm_endings *e = &s->scan.ignored;
    int64_t left = e->others, order[MDM_ENDINGS];

    if (!e->kinds && !left)
        return;
    mdm_endings_order(e, order);
    mdm_page_begin(&s->page, "ignored");
    for (int k = 0; k < e->kinds; k++) {
        const struct mdm_ending *at = &e->kind[order[k]];

        if (k < SHOWN)
            mdm_page_count(&s->page, *at->text ? at->text : "no ending", at->count);
        else
            left += at->count;
    }
    if (left)
        mdm_page_count(&s->page, "others", left);
    mdm_page_end(&s->page);
}

static void tell_labels(struct survey *s)
{
    int64_t unlabelled = 0;
    char name[MDM_ERROR_TEXT];

    for (int64_t l = 0; l <= s->scan.labels; l++)
        s->copies[l] = 0;
    for (int64_t i = 0; i < s->scan.count; i++)
        if (!s->file[i].broken && s->scan.file[i].label < 0)
            unlabelled++;
        else if (!s->file[i].broken)
            s->copies[s->scan.file[i].label]++;
    mdm_page_count(&s->page, "label_count", s->scan.labels);
    if (!s->scan.labels)
        return;
    mdm_page_count(&s->page, "without_label", unlabelled);
    mdm_page_begin(&s->page, "labels");
    for (int64_t l = 0; l < s->scan.labels; l++) {
        mdm_one_line(name, sizeof name, s->scan.label[l]);
        mdm_page_count(&s->page, name, s->copies[l]);
    }
    mdm_page_end(&s->page);
}

static void tell(struct survey *s)
{
    mdm_page_path(&s->page, "data", s->told.data);
    mdm_page_count(&s->page, "images", s->readable);
    mdm_page_count(&s->page, "unreadable", s->scan.count - s->readable + s->scan.unreadable);
    mdm_page_count(&s->page, "transparent", s->transparent);
    tell_duplicates(s);
    tell_kinds(s, "modes", by_mode, name_mode);
    tell_kinds(s, "sizes", by_size, name_size);
    tell_ignored(s);
    tell_labels(s);
}

/* ---- the job ---- */

static int look(struct survey *s)
{
    const int64_t count = s->scan.count > s->scan.labels ? s->scan.count : s->scan.labels;
    struct mdm_folder_options folder;
    struct mdm_reading how;

    mdm_options_read(s->options, &mdm_images_options, &folder);
    MDM_TRY(mdm_reading_set(&how, &folder, s->options, 0));
    s->file = mdm_need((size_t)s->scan.count, sizeof *s->file, "a survey");
    s->order = mdm_need((size_t)count + 1, sizeof *s->order, "a survey");
    s->copies = mdm_need((size_t)count + 1, sizeof *s->copies, "a survey");
    if (!s->file || !s->order || !s->copies)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_survey_look(s->file, &s->scan, &how, s->device, s->control));
    for (int64_t i = 0; i < s->scan.count; i++) {
        s->readable += !s->file[i].broken;
        s->transparent += s->file[i].transparent;
    }
    return s->readable ? MASKDM_OK
                       : mdm_fail(MASKDM_EINVAL, "no readable image below \"%s\": %lld tried", s->told.data,
                                  (long long)s->scan.count);
}

static int survey(struct survey *s, maskdm_write_callback write, void *user)
{
    struct mdm_folder_options folder;

    mdm_options_read(s->options, &mdm_images_options, &folder);
    MDM_TRY(mdm_data_find(&s->scan, s->told.data, NULL, &folder, s->options, mdm_control_log(s->control),
                          s->control));
    MDM_TRY(look(s));
    mdm_page_begin(&s->page, NULL);
    tell(s);
    if (*s->told.out)
        MDM_TRY(mdm_survey_sheet(s->options, &s->told, &s->scan, s->transparent > 0, s->device, s->control));
    return mdm_page_deliver(&s->page, s->told.json, write, user);
}

static int check(const struct survey *s)
{
    int is_grid;

    MDM_TRY(mdm_options_check(s->options));
    MDM_TRY(mdm_options_check_needs(s->options, NULL));
    if (!*s->told.out)
        return MASKDM_OK;
    MDM_TRY(mdm_samples_is_grid(&is_grid, s->told.out));
    return is_grid ? MASKDM_OK
                   : mdm_fail(MASKDM_EINVAL, "%s %s: a sheet is a PNG file, whose name ends in .png",
                              mdm_options_said(s->options, "out"), s->told.out);
}

int mdm_survey_run(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user)
{
    struct survey s = {.options = options, .control = control};
    int status;

    if (mdm_options_kind(options) != &mdm_survey_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not survey", mdm_options_kind(options)->name);
    mdm_options_read(options, &mdm_survey_run_options, &s.told);
    MDM_TRY(check(&s));
    status = mdm_run_open_device(&s.device, "cpu", options, mdm_control_log(control));
    if (status >= 0)
        status = survey(&s, write, user);
    mdm_scan_free(&s.scan);
    mdm_page_free(&s.page);
    mdm_free(s.file);
    mdm_free(s.order);
    mdm_free(s.copies);
    mdm_device_drop(&s.device);
    return status;
}
