/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether the labels of the data are what the network's classes stand for. Nothing of it is certain, since a run may
 * mean what it says: it is told, before an image is read. The names go into the model, and so into its files.
 */
#include "run/run.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "data/data.h"
#include "data/nested.h"
#include "model/model.h"
#include "text/text.h"

#include <string.h>

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* A view of the names that the data have; a host's have none. */
static struct mdm_labels names_of(const maskdm_data *data)
{
    const struct mdm_labels none = {0};
    const struct mdm_scan *s = data->files;

    return s ? (struct mdm_labels){s->label, s->labels} : none;
}

/* What people call the parts of a data set, in whatever letters. */
static int is_part(const char *name)
{
    static const char *const part[] = {"train", "training", "test", "testing",  "val",
                                       "valid", "validation", "dev", "held-out", "holdout"};

    for (size_t i = 0; i < MDM_LENGTH(part); i++) {
        size_t n = 0;

        while (part[i][n] && (name[n] | 0x20) == part[i][n])
            n++;
        if (!part[i][n] && !name[n])
            return 1;
    }
    return 0;
}

static int all_are_parts(const struct mdm_labels *l)
{
    for (int64_t i = 0; i < l->count; i++)
        if (!is_part(l->name[i]))
            return 0;
    return l->count > 0;
}

/* "; is data one level too high? data/train holds 2 folders of images (a, b)", where it looks like that. */
static int add_level_hint(struct mdm_text *out, const struct mdm_scan *s)
{
    const struct mdm_labels names = {s->label, s->labels};
    struct mdm_nested n;
    int64_t label = 0;

    if (names.count != 1 && !all_are_parts(&names))
        return 0;
    while (label < names.count - 1 && strncmp(names.name[label], "train", 5) != 0)
        label++;
    n = mdm_nested_below(s, label);
    if (n.folders < 2)
        return 0;
    mdm_text_addf(out, "; is %.*s one level too high? %.*s holds %lld folders of images (",
                  (int)(s->root ? s->root - 1 : 0), n.path, (int)n.length, n.path, (long long)n.folders);
    mdm_nested_list(s, &n, out);
    mdm_text_add(out, ")");
    return 1;
}

/* "the data have 2 labels (a, b) and the network 3 classes" */
static void add_count(struct mdm_text *out, const maskdm_data *data, int64_t classes)
{
    const struct mdm_labels names = names_of(data);

    mdm_text_addf(out, "the data have %lld label%s", (long long)data->labels, plural(data->labels));
    if (names.count) {
        mdm_text_add(out, " (");
        mdm_labels_list(&names, out);
        mdm_text_add(out, ")");
    }
    mdm_text_addf(out, " and the network %lld class%s", (long long)classes, classes == 1 ? "" : "es");
}

static int warn(const struct mdm_run *run, struct mdm_text *text)
{
    int status = mdm_text_ok(text);

    if (status == MASKDM_OK)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN, "%s", text->data);
    mdm_text_free(text);
    return status;
}

/* Fewer labels than classes, or folders that are parts of a data set and no classes. */
static int tell_count(const struct mdm_run *run, const maskdm_data *data, int64_t classes)
{
    struct mdm_text text = {0};
    int hint = 0;

    add_count(&text, data, classes);
    if (data->files)
        hint = add_level_hint(&text, data->files);
    if (data->labels < classes || hint)
        return warn(run, &text);
    mdm_text_free(&text);
    return MASKDM_OK;
}

static void tell_unlabelled(const struct mdm_run *run, const maskdm_data *data, const char *what)
{
    const struct mdm_log *log = &run->voice;
    const struct mdm_scan *s = data->files;
    int64_t first = 0, classes = run->model->geometry.classes;

    while (s && first < s->count && s->file[first].label >= 0)
        first++;
    if (data->unlabelled == data->count)
        mdm_log_line(log, MASKDM_LOG_WARN,
                     "none of the %lld images of %s has a label, and the network has %lld class%s%s",
                     (long long)data->count, what, (long long)classes, classes == 1 ? "" : "es",
                     s ? "; the folders of images directly below the given one are labels" : "");
    else if (data->unlabelled > 0)
        mdm_log_line(log, MASKDM_LOG_WARN, "%lld of the %lld images of %s %s no label%s%s",
                     (long long)data->unlabelled, (long long)data->count, what,
                     data->unlabelled == 1 ? "has" : "have",
                     s ? ", since they lie beside its folders: the first is " : "", s ? s->file[first].path : "");
}

static void tell_difference(const struct mdm_run *run, const struct mdm_labels *a, const char *in_a,
                            const struct mdm_labels *b, const char *in_b)
{
    const int64_t i = mdm_labels_difference(a, b);

    if (i >= 0)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN, "label %lld is %s in %s and %s in %s",
                     (long long)i, a->name[i], in_a, b->name[i], in_b);
}

static int check_count(const struct mdm_run *run, const maskdm_data *data, const char *what, int64_t classes)
{
    if (data->labels <= classes)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s have %lld labels, the model %lld classes; %s %lld makes room for them", what,
                    (long long)data->labels, (long long)classes, mdm_options_said(run->options, "classes"),
                    (long long)data->labels);
}

/* The data's names, and behind them those that the model had for further labels. Names that no file could hold are
 * not worth a run. */
static int keep_names(struct mdm_run *run, const struct mdm_labels *names)
{
    struct mdm_labels *of_model = &run->model->labels;
    const int64_t count = names->count > of_model->count ? names->count : of_model->count;
    const char **all;
    int status;

    if (!names->count)
        return MASKDM_OK;
    all = mdm_need((size_t)count, sizeof *all, "the names of labels");
    if (!all)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < count; i++)
        all[i] = i < names->count ? names->name[i] : of_model->name[i];
    status = mdm_labels_set(of_model, all, count, run->model->geometry.classes);
    mdm_free(all);
    if (status != MASKDM_EINVAL)
        return status;
    mdm_labels_free(of_model);
    mdm_log_line(&run->voice, MASKDM_LOG_WARN,
                 "the model does not keep the names of the labels: %s", mdm_error_text());
    return MASKDM_OK;
}

/* Held-out images have their labels from a folder of their own, which may count otherwise. */
static int match_held_out(const struct mdm_run *run, const struct mdm_labels *names, int64_t classes)
{
    const struct mdm_labels theirs = names_of(run->held_out);

    MDM_TRY(check_count(run, run->held_out, "the held-out data", classes));
    if (run->data->labels)
        tell_unlabelled(run, run->held_out, "the held-out data");
    tell_difference(run, names, "the data", &theirs, "the held-out data");
    return MASKDM_OK;
}

int mdm_run_match_labels(struct mdm_run *run)
{
    const int64_t classes = run->model->geometry.classes;
    const struct mdm_labels names = names_of(run->data);

    if (!classes) {
        if (run->data->labels)
            mdm_log_line(&run->voice, MASKDM_LOG_INFO,
                         "the labels of the data are not used: the network has no classes (%s auto has it learn "
                         "them)",
                         mdm_options_said(run->now, "classes"));
        return MASKDM_OK;
    }
    MDM_TRY(check_count(run, run->data, "the data", classes));
    if (run->data->labels)
        MDM_TRY(tell_count(run, run->data, classes));
    tell_unlabelled(run, run->data, "the data");
    tell_difference(run, &run->model->labels, "the model", &names, "the data");
    MDM_TRY(keep_names(run, &names));
    return run->held_out ? match_held_out(run, &names, classes) : MASKDM_OK;
}
