/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of labels, from words to numbers.
 */
#include "run/label_names.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/number.h"
#include "text/text.h"

#include <string.h>

enum { MOST = 65536 }; /* labels in a list */

int64_t mdm_label_names_find(const struct mdm_labels *l, const char *name, size_t n)
{
    for (int64_t i = 0; i < l->count; i++)
        if (!strncmp(l->name[i], name, n) && !l->name[i][n])
            return i;
    return -1;
}

/* ---- what is asked for ---- */

/* A list in the making. */
struct reading {
    const maskdm_options *options;
    const maskdm_model *model;
    const struct mdm_log *log;
    int32_t *label;
    int64_t count;
};

static int refuse(const struct reading *r, const char *word, int length)
{
    const char *said = mdm_options_said(r->options, "label");
    const int64_t classes = r->model->geometry.classes;
    struct mdm_text names = {0};
    int status;

    if (!classes)
        return mdm_fail(MASKDM_EINVAL, "%s %.*s: the model was trained without labels, its network has 0 classes",
                        said, length, word);
    if (!r->model->labels.count)
        return mdm_fail(MASKDM_EINVAL, "%s %.*s: the model keeps no names of its %lld labels, which are 0 to %lld",
                        said, length, word, (long long)classes, (long long)classes - 1);
    mdm_labels_list(&r->model->labels, &names);
    status = mdm_text_ok(&names);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_EINVAL, "%s %.*s is none of the model's %lld labels: %s", said, length, word,
                          (long long)classes, names.data);
    mdm_text_free(&names);
    return status;
}

static int read_number(int64_t *number, const char *word, size_t n)
{
    char digits[24] = "";

    if (!n || n >= sizeof digits)
        return 0;
    memcpy(digits, word, n);
    return mdm_parse_i64(digits, number) == 0;
}

static int read_word(struct reading *r, const char *word, size_t n)
{
    const int64_t name = mdm_label_names_find(&r->model->labels, word, n), classes = r->model->geometry.classes;
    int64_t number;
    const int is_number = read_number(&number, word, n);

    if (name < 0 && !is_number)
        return refuse(r, word, (int)n);
    if (name < 0 && (number < -1 || number > INT32_MAX)) /* the sampler knows the others */
        return mdm_fail(MASKDM_EINVAL, "label %lld of image %lld; the network has %lld classes", (long long)number,
                        (long long)r->count, (long long)classes);
    if (name >= 0 && is_number && number != name)
        mdm_log_line(r->log, MASKDM_LOG_INFO, "%s %.*s is a name: it is label %lld",
                     mdm_options_said(r->options, "label"), (int)n, word, (long long)name);
    r->label[r->count++] = (int32_t)(name < 0 ? number : name);
    return MASKDM_OK;
}

static int read_words(struct reading *r, const char *text)
{
    size_t n;

    for (;; text += n + 1) {
        n = strcspn(text, ",");
        if (r->count == MOST)
            return mdm_fail(MASKDM_EINVAL, "%s has more than %d labels", mdm_options_said(r->options, "label"), MOST);
        MDM_TRY(read_word(r, text, n));
        if (!text[n])
            return MASKDM_OK;
    }
}

static size_t count_words(const char *text)
{
    size_t n = 1;

    for (; *text; text++)
        n += *text == ',';
    return n;
}

int mdm_label_names_read(int32_t **out, int64_t count, const maskdm_options *options, const maskdm_model *model,
                         const struct mdm_log *log)
{
    const char *text = mdm_options_text(options, "label");
    struct reading r = {.options = options, .model = model, .log = log};
    int status;

    *out = NULL;
    if (!text || !*text)
        return MASKDM_OK;
    r.label = mdm_need(count_words(text), sizeof *r.label, "labels");
    status = r.label ? read_words(&r, text) : MASKDM_ENOMEM;
    if (status == MASKDM_OK && !(*out = mdm_need((size_t)count, sizeof **out, "labels")))
        status = MASKDM_ENOMEM;
    for (int64_t i = 0; i < count && status == MASKDM_OK; i++)
        (*out)[i] = r.label[i % r.count];
    mdm_free(r.label);
    return status;
}

/* ---- what files are called ---- */

static int refuse_label(const struct mdm_scan *files, const char *name, const struct mdm_labels *names,
                        const char *what, const char *whose)
{
    const struct mdm_labels all = {files->label, files->labels};
    struct mdm_text theirs = {0}, ours = {0};
    int status;

    mdm_labels_list(names, &theirs);
    mdm_labels_list(&all, &ours);
    status = mdm_text_ok(theirs.failed ? &theirs : &ours);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_EINVAL, "label %s of %s is none of %s's: %s; %s have %s", name, what, whose,
                          theirs.data, what, ours.data);
    mdm_text_free(&theirs);
    mdm_text_free(&ours);
    return status;
}

/* The names in place of the files' own. */
static int take_names(struct mdm_scan *files, const struct mdm_labels *names)
{
    mdm_scan_forget_labels(files);
    for (int64_t i = 0; i < names->count; i++)
        MDM_TRY(mdm_scan_add_label(files, names->name[i], strlen(names->name[i])));
    return MASKDM_OK;
}

int mdm_label_names_match(struct mdm_scan *files, const struct mdm_labels *names, const char *what, const char *whose)
{
    int32_t *number;
    int status = MASKDM_OK;

    if (!files->labels || !names->count)
        return MASKDM_OK;
    number = mdm_need((size_t)files->labels, sizeof *number, "labels");
    if (!number)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < files->labels && status == MASKDM_OK; i++) {
        number[i] = (int32_t)mdm_label_names_find(names, files->label[i], strlen(files->label[i]));
        if (number[i] < 0)
            status = refuse_label(files, files->label[i], names, what, whose);
    }
    if (status == MASKDM_OK)
        status = take_names(files, names);
    for (int64_t i = 0; i < files->count && status == MASKDM_OK; i++)
        if (files->file[i].label >= 0)
            files->file[i].label = number[files->file[i].label];
    mdm_free(number);
    return status;
}
