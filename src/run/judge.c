/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far what a run's average draws is from a reference, again and again, from the same noise each time; the model
 * that was nearest stays as best.safetensors. An evaluation that fails (no memory, a full disk) is a warning:
 * training goes on.
 */
#include "run/run.h"

#include "base/error.h"
#include "run/evaluate.h"
#include "text/json.h"

#include <math.h>
#include <string.h>

#define BEST "best.safetensors"

/* ---- before training ---- */

static int load_reference(struct mdm_run *run)
{
    struct mdm_run_judge *j = &run->judge;
    maskdm_features *rows;
    const char *path = run->told.evaluate_reference;
    int status;

    MDM_TRY(mdm_evaluate_load(&rows, &j->reference, run->device, path));
    status = rows ? mdm_features_statistics(&j->reference, rows, run->control) : MASKDM_OK;
    mdm_features_drop(&rows);
    MDM_TRY(status);
    return mdm_evaluate_check(j->extractor, path, j->reference->features, j->reference->width, &run->voice);
}

int mdm_run_open_judge(struct mdm_run *run)
{
    struct mdm_run_judge *j = &run->judge;
    const struct mdm_train_run_options *t = &run->told;
    int images;

    if (t->evaluate_every <= 0)
        return MASKDM_OK;
    MDM_TRY(mdm_extractor_check_channels(run->trainer->model->geometry.channels));
    MDM_TRY(*t->evaluate_features ? mdm_extractor_load(&j->extractor, run->device, t->evaluate_features)
                                  : mdm_extractor_create(&j->extractor, run->device));
    if (t->evaluate_count <= j->extractor->kind->width)
        mdm_log_line(&run->voice, MASKDM_LOG_WARN,
                     "%s %lld: fewer images than the %lld numbers of a feature; distances of this run compare with "
                     "each other, and with none of another number of images",
                     mdm_options_said(run->options, "evaluate_count"), (long long)t->evaluate_count,
                     (long long)j->extractor->kind->width);
    if (!*t->evaluate_reference)
        return MASKDM_OK;
    MDM_TRY(mdm_evaluate_images_are_in(&images, t->evaluate_reference));
    return images ? MASKDM_OK : load_reference(run);
}

void mdm_run_close_judge(struct mdm_run *run)
{
    mdm_extractor_drop(&run->judge.extractor);
    mdm_statistics_drop(&run->judge.reference);
}

/* ---- the reference, where it is of images ---- */

static int add_rows(void *statistics, int64_t count, const float *rows)
{
    return mdm_statistics_add(statistics, count, rows);
}

/* Summed as they come: no rows are kept. */
static int look_at_training_images(struct mdm_run *run)
{
    struct mdm_run_judge *j = &run->judge;

    MDM_TRY(mdm_statistics_create(&j->reference, run->device, j->extractor->kind->width));
    return mdm_extractor_each(j->extractor, run->whole, 0, run->control, add_rows, j->reference);
}

/* Fitted as the training images are. */
static int look_at_folder(struct mdm_run *run)
{
    const struct mdm_geometry *g = &run->trainer->model->geometry;
    const int64_t size[] = {g->height, g->width};
    const struct mdm_evaluate_run_options told = {.image_size = {MDM_LENGTH(size), size}};
    struct mdm_looking look = {
        .extractor = run->judge.extractor, .told = &told, .options = run->options, .control = run->control};
    maskdm_features *rows;
    int status;

    MDM_TRY(mdm_look_at_folder(&rows, &look, run->told.evaluate_reference, 0));
    status = mdm_features_statistics(&run->judge.reference, rows, run->control);
    mdm_features_drop(&rows);
    return status;
}

/* All that decides a distance, as a line. */
static int describe(struct mdm_run *run)
{
    struct mdm_run_judge *j = &run->judge;
    maskdm_options *o;
    char digest[17];

    MDM_TRY(mdm_evaluate_digest(digest, j->reference));
    MDM_TRY(mdm_run_sampler_options(&o, run));
    mdm_format(j->of, sizeof j->of, "%lld images by %.20s in %.20s steps from seed %.24s, %s, against %s",
               (long long)run->told.evaluate_count, mdm_options_text(o, "sampler"), mdm_options_text(o, "steps"),
               mdm_options_text(o, "seed"), j->extractor->name, digest);
    mdm_options_release(&o);
    return MASKDM_OK;
}

static int ready(struct mdm_run *run)
{
    struct mdm_run_judge *j = &run->judge;
    int status = MASKDM_OK;

    if (*j->of)
        return MASKDM_OK;
    if (!j->reference)
        status = *run->told.evaluate_reference ? look_at_folder(run) : look_at_training_images(run);
    if (status >= 0)
        status = describe(run);
    if (status < 0) {
        mdm_statistics_drop(&j->reference);
        return status;
    }
    if (!isnan(j->best) && strcmp(j->of, j->noted) != 0) {
        mdm_log_line(&run->voice, MASKDM_LOG_INFO,
                     "earlier distances are of %s, and compare with none of now: the best is looked for anew",
                     j->noted);
        j->best = (double)NAN;
    }
    return MASKDM_OK;
}

/* ---- a distance ---- */

static int measure(double *out, struct mdm_run *run, const maskdm_options *sampler)
{
    const struct mdm_evaluate_run_options told = {.count = run->told.evaluate_count, .weights = MASKDM_WEIGHTS_EMA};
    struct mdm_looking look = {
        .extractor = run->judge.extractor, .told = &told, .options = sampler, .control = run->control};
    maskdm_features *drawn;
    maskdm_statistics *s = NULL;
    int status;

    MDM_TRY(mdm_look_at_samples(&drawn, &look, run->trainer->model));
    status = mdm_features_statistics(&s, drawn, run->control);
    if (status >= 0)
        status = mdm_statistics_distance(s, run->judge.reference, run->control, out);
    mdm_statistics_drop(&s);
    mdm_features_drop(&drawn);
    return status;
}

static int write_line(struct mdm_run *run, double distance, int best)
{
    const char *name = mdm_evaluate_distance_name(run->judge.extractor->name);
    struct mdm_text t = {0};
    int status;

    mdm_text_addf(&t, "{\"step\":%lld,\"%s\":", (long long)mdm_run_step(run), name);
    mdm_text_add_double(&t, distance);
    mdm_text_add(&t, ",\"distance_of\":");
    mdm_text_add_json(&t, run->judge.of);
    mdm_text_addf(&t, ",\"best\":%s}\n", best ? "true" : "false");
    status = mdm_text_ok(&t);
    if (status >= 0)
        status = mdm_appender_write(run->log, t.data, t.length);
    mdm_text_free(&t);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "step %lld: %s %.6g%s", (long long)mdm_run_step(run),
                 name, distance, best ? ", the best so far" : "");
    return status;
}

static int judge(struct mdm_run *run)
{
    maskdm_options *sampler;
    double distance;
    int status, best;

    MDM_TRY(ready(run));
    MDM_TRY(mdm_run_sampler_options(&sampler, run));
    status = measure(&distance, run, sampler);
    mdm_options_release(&sampler);
    MDM_TRY(status);
    best = !(distance >= run->judge.best);
    if (best)
        MDM_TRY(mdm_run_publish_as(run, BEST));
    MDM_TRY(write_line(run, distance, best));
    if (best)
        run->judge.best = distance;
    return MASKDM_OK;
}

int mdm_run_evaluate(struct mdm_run *run)
{
    int status;

    mdm_control_hush(run->control, 1);
    status = judge(run);
    mdm_control_hush(run->control, 0);
    if (status == MASKDM_OK || status == MASKDM_ECANCELED)
        return status;
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "step %lld is not evaluated: %s",
                 (long long)mdm_run_step(run), mdm_error_text());
    return MASKDM_OK;
}

/* ---- resuming ---- */

void mdm_run_recall_best(struct mdm_run *run, const char *line, size_t n)
{
    struct mdm_run_judge *j = &run->judge;
    double distance = (double)NAN, *number = NULL;
    char of[sizeof j->of] = "", *text = NULL;
    struct mdm_json json;
    int event;

    mdm_json_open(&json, line, n);
    while ((event = mdm_json_next(&json)) > MDM_JSON_END) {
        if (number && event == MDM_JSON_NUMBER)
            (void)mdm_json_double(&json, number);
        if (text && event == MDM_JSON_STRING)
            mdm_format(text, sizeof of, "%s", json.text);
        number = NULL;
        text = NULL;
        if (event != MDM_JSON_KEY || json.depth != 1)
            continue;
        if (!strcmp(json.text, "distance_of"))
            text = of;
        else if (!strcmp(json.text, "fid") || !strcmp(json.text, "random_feature_distance"))
            number = &distance;
    }
    mdm_json_close(&json);
    if (!*of || isnan(distance))
        return;
    if (strcmp(of, j->noted) != 0)
        j->best = (double)NAN;
    memcpy(j->noted, of, sizeof of);
    if (!(distance >= j->best))
        j->best = distance;
}
