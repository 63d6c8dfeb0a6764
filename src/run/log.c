/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log.jsonl: one JSON object a line. It is a record for people and plots, not state: resuming cuts it back to the
 * step that it goes on from, torn last lines included; where a run without a checkpoint begins anew, what it had
 * logged is kept beside it. What the host was warned of at the start stands before its steps.
 */
#include "run/run.h"

#include "backend/device.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "run/events.h"
#include "run/record.h"
#include "text/json.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

enum { LOG_LIMIT = 1 << 30 }; /* bytes */

/* The "step" of a line, or -1 when the line is not a whole object that has one; and whether a stage begins behind it.
 */
static int64_t line_step(const char *line, size_t n, int *begins)
{
    struct mdm_json j;
    int64_t step = -1;
    int event;

    *begins = 0;
    mdm_json_open(&j, line, n);
    while ((event = mdm_json_next(&j)) > MDM_JSON_END) {
        *begins |= event == MDM_JSON_KEY && j.depth == 1 && !strcmp(j.text, "stage");
        if (event != MDM_JSON_KEY || j.depth != 1 || strcmp(j.text, "step") != 0)
            continue;
        event = mdm_json_next(&j);
        if (event != MDM_JSON_NUMBER || mdm_json_u63(&j, &step) < 0)
            break;
    }
    mdm_json_close(&j);
    return event == MDM_JSON_END ? step : -1;
}

size_t mdm_run_log_keep(char *text, size_t bytes, int64_t step)
{
    size_t kept = 0, at = 0;

    while (at < bytes) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end ? (size_t)(end - (text + at)) : 0;
        int64_t found;
        int begins;

        if (!end)
            break;
        found = line_step(text + at, n, &begins);
        if (found >= 0 && found + begins <= step) {
            memmove(text + kept, text + at, n + 1);
            kept += n + 1;
        }
        at += n + 1;
    }
    return kept;
}

/* The first of log-1.jsonl, log-2.jsonl, ... that is not there. */
static int find_place(char **out, const char *folder)
{
    enum mdm_file_kind kind = MDM_FILE_REGULAR;
    char name[32];
    int status = MASKDM_OK;

    *out = NULL;
    for (int i = 1; status == MASKDM_OK && kind != MDM_FILE_NONE; i++) {
        mdm_free(*out);
        mdm_format(name, sizeof name, "log-%d.jsonl", i);
        *out = mdm_path_join(folder, name);
        status = *out ? mdm_file_kind_of(&kind, *out) : MASKDM_ENOMEM;
    }
    if (status == MASKDM_OK)
        return status;
    mdm_free(*out);
    return status;
}

static int set_aside(struct mdm_run *run, const char *text, size_t bytes)
{
    char *place;
    int status;

    MDM_TRY(find_place(&place, run->told.out));
    status = mdm_record_write_bytes(place, text, bytes);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "what was logged before is kept in %s", place);
    mdm_free(place);
    return status;
}

/* From whole lines, what the starts that wrote them have come to. */
static void recall(struct mdm_run *run, const char *text, size_t bytes)
{
    const char *end;

    for (size_t at = 0; (end = memchr(text + at, '\n', bytes - at)); at = (size_t)(end - text) + 1) {
        mdm_run_recall_cost(run, text + at, (size_t)(end - text) - at);
        mdm_run_recall_best(run, text + at, (size_t)(end - text) - at);
    }
}

static int cut_back(struct mdm_run *run, const char *path, int64_t step)
{
    const int anew = run->saved < 0;
    size_t bytes, kept = 0;
    char *text;
    int status = MASKDM_OK;

    MDM_TRY(mdm_file_read_all(&text, &bytes, path, LOG_LIMIT));
    if (anew && bytes)
        status = set_aside(run, text, bytes);
    if (!anew)
        kept = mdm_run_log_keep(text, bytes, step);
    recall(run, text, kept);
    if (status == MASKDM_OK && kept < bytes)
        status = mdm_record_write_bytes(path, text, kept);
    mdm_free(text);
    return status;
}

static void hear(void *user, int level, const char *line)
{
    struct mdm_run *run = user;

    mdm_log_line(mdm_control_log(run->control), level, "%s", line);
    if (level != MASKDM_LOG_WARN)
        return;
    mdm_text_add(&run->notes, line);
    mdm_text_add(&run->notes, "\n");
}

void mdm_run_log_note(struct mdm_run *run, const char *line)
{
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "%s", line);
    mdm_text_add(&run->notes, line);
    mdm_text_add(&run->notes, "\n");
}

void mdm_run_log_listen(struct mdm_run *run)
{
    run->voice.call = hear;
    run->voice.user = run;
}

/* What was said before the log was open, a line each. */
static int write_notes(struct mdm_run *run, int64_t step)
{
    struct mdm_text t = {0};
    char *line = run->notes.data, *end;
    int status = mdm_text_ok(&run->notes);

    for (; status == MASKDM_OK && line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        mdm_text_addf(&t, "{\"step\":%lld,\"note\":", (long long)step);
        mdm_text_add_json(&t, line);
        mdm_text_add(&t, "}\n");
    }
    if (status == MASKDM_OK)
        status = mdm_text_ok(&t);
    if (status == MASKDM_OK && t.length)
        status = mdm_appender_write(run->log, t.data, t.length);
    mdm_text_free(&t);
    mdm_text_free(&run->notes);
    return status;
}

int mdm_run_log_open(struct mdm_run *run, int64_t step)
{
    char *path = mdm_path_join(run->told.out, "log.jsonl");
    enum mdm_file_kind kind;
    int status;

    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_file_kind_of(&kind, path);
    if (status == MASKDM_OK && kind == MDM_FILE_REGULAR) /* a device or a pipe has nothing to cut */
        status = cut_back(run, path, step);
    if (status == MASKDM_OK)
        status = mdm_appender_open(&run->log, path);
    if (status == MASKDM_OK && run->told.tensorboard)
        status = mdm_events_open(&run->events, run->told.out, mdm_clock_calendar());
    if (status == MASKDM_OK)
        status = write_notes(run, step);
    if (status == MASKDM_OK && !step)
        status = mdm_run_log_stage(run);
    mdm_free(path);
    return status;
}

int mdm_run_log_stage(struct mdm_run *run)
{
    struct mdm_text own = {0}, t = {0};
    int status;

    if (run->stages == 1 || !run->log) /* which another rank has */
        return MASKDM_OK;
    mdm_text_addf(&own, "stage %d of %d: ", run->stage + 1, run->stages);
    mdm_options_list_stage(run->options, run->stage, &own);
    mdm_text_addf(&t, "{\"step\":%lld,\"stage\":%d,\"note\":", (long long)mdm_run_step(run), run->stage + 1);
    mdm_text_add_json(&t, own.data ? own.data : "");
    mdm_text_add(&t, "}\n");
    status = own.failed ? mdm_text_ok(&own) : mdm_text_ok(&t);
    if (status == MASKDM_OK)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "%s", own.data);
    if (status == MASKDM_OK)
        status = mdm_appender_write(run->log, t.data, t.length);
    mdm_text_free(&own);
    mdm_text_free(&t);
    return status;
}

static void add(struct mdm_text *t, const char *key, double value)
{
    mdm_text_addf(t, ",\"%s\":", key);
    mdm_text_add_double(t, value);
}

/* To the millisecond. */
static void add_seconds(struct mdm_text *t, const char *key, double seconds)
{
    add(t, key, round(seconds * 1000) / 1000);
}

/* When and how far, and what came of the steps behind the last line. */
static void add_course(struct mdm_run *run, struct mdm_text *t, int64_t images)
{
    add_seconds(t, "time", mdm_clock_calendar());
    add_seconds(t, "elapsed", run->elapsed + mdm_clock() - run->begun_at);
    add(t, "epoch", (double)images / (double)run->data->count);
    add(t, "mean_loss", run->losses ? run->loss_sum / (double)run->losses : (double)NAN);
    mdm_text_addf(t, ",\"memory\":%llu", (unsigned long long)mdm_device_peak(run->device));
    run->loss_sum = 0;
    run->losses = 0;
}

static int write_events(const struct mdm_run *run, const struct maskdm_progress *p)
{
    const struct {
        const char *tag;
        double value;
    } scalar[] = {{"loss", p->loss},
                  {"lr", p->lr},
                  {"grad_norm", p->grad_norm},
                  {"images_per_second", run->images_per_second},
                  {"held_out_loss", run->validated == p->step ? run->held_out_loss : (double)NAN}};

    for (size_t i = 0; run->events && i < MDM_LENGTH(scalar); i++)
        MDM_TRY(mdm_events_add(run->events, mdm_clock_calendar(), p->step, scalar[i].tag, scalar[i].value));
    return MASKDM_OK;
}

int mdm_run_log_step(struct mdm_run *run)
{
    struct maskdm_progress p = mdm_run_progress(run);
    struct mdm_text t = {0};
    int status;

    mdm_text_addf(&t, "{\"step\":%lld,\"images\":%lld,\"visible\":%lld", (long long)p.step, (long long)p.images,
                  (long long)run->trainer->visible);
    add(&t, "loss", p.loss);
    add(&t, "lr", p.lr);
    add(&t, "grad_norm", p.grad_norm);
    add(&t, "images_per_second", run->images_per_second);
    mdm_text_addf(&t, ",\"skipped\":%lld", (long long)p.skipped);
    add_course(run, &t, p.images);
    status = mdm_run_log_cost(run, &t);
    if (run->validated == p.step) {
        add(&t, "held_out_loss", run->held_out_loss);
        mdm_text_add(&t, ",\"held_out_buckets\":[");
        for (int k = 0; k < MDM_RUN_BUCKETS; k++) {
            mdm_text_add(&t, k ? "," : "");
            mdm_text_add_double(&t, run->bucket[k]);
        }
        mdm_text_add(&t, "]");
    }
    mdm_text_add(&t, "}\n");
    if (status == MASKDM_OK)
        status = mdm_text_ok(&t);
    if (status == MASKDM_OK)
        status = mdm_appender_write(run->log, t.data, t.length);
    if (status == MASKDM_OK)
        status = write_events(run, &p);
    mdm_text_free(&t);
    return status;
}
