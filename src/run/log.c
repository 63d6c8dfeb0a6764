/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log.jsonl: one JSON object a line. It is a record for people and plots, not state: resuming cuts it back to the
 * step that it goes on from, torn last lines included. What the host was warned of at the start stands before its
 * steps.
 */
#include "run/run.h"

#include "util/alloc.h"
#include "util/error.h"

#include <math.h>
#include <string.h>

enum { LOG_LIMIT = 1 << 30 }; /* bytes */

/* The "step" of a line, or -1 when the line is not a whole object that has one. */
static int64_t line_step(const char *line, size_t n)
{
    struct maskdm_json j;
    int64_t step = -1;
    int event, depth = 0;

    maskdm_json_open(&j, line, n);
    while ((event = maskdm_json_next(&j)) > MASKDM_JSON_END) {
        depth += (event == MASKDM_JSON_OBJECT || event == MASKDM_JSON_ARRAY) -
                 (event == MASKDM_JSON_OBJECT_END || event == MASKDM_JSON_ARRAY_END);
        if (event != MASKDM_JSON_KEY || depth != 1 || strcmp(j.text, "step") != 0)
            continue;
        event = maskdm_json_next(&j);
        if (event != MASKDM_JSON_NUMBER || maskdm_json_u63(&j, &step) < 0)
            break;
    }
    maskdm_json_close(&j);
    return event == MASKDM_JSON_END ? step : -1;
}

size_t maskdm_run_log_keep(char *text, size_t bytes, int64_t step)
{
    size_t kept = 0, at = 0;

    while (at < bytes) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end ? (size_t)(end - (text + at)) : 0;
        int64_t found;

        if (!end)
            break;
        found = line_step(text + at, n);
        if (found >= 0 && found <= step) {
            memmove(text + kept, text + at, n + 1);
            kept += n + 1;
        }
        at += n + 1;
    }
    return kept;
}

static int cut_back(const char *path, int64_t step)
{
    struct maskdm_writer *w = NULL;
    size_t bytes, kept;
    char *text;
    int status = MASKDM_OK;

    MASKDM_TRY(maskdm_file_read_all(&text, &bytes, path, LOG_LIMIT));
    kept = maskdm_run_log_keep(text, bytes, step);
    if (kept < bytes) {
        status = maskdm_writer_open(&w, path);
        if (status == MASKDM_OK)
            status = maskdm_writer_write(w, text, kept);
        if (status == MASKDM_OK)
            status = maskdm_writer_commit(&w);
        maskdm_writer_abandon(&w);
    }
    maskdm_free(text);
    return status;
}

static void hear(void *user, int level, const char *line)
{
    struct maskdm_run *run = user;

    maskdm_log_line(maskdm_control_log(run->control), level, "%s", line);
    if (level != MASKDM_LOG_WARN)
        return;
    maskdm_text_add(&run->notes, line);
    maskdm_text_add(&run->notes, "\n");
}

void maskdm_run_log_listen(struct maskdm_run *run)
{
    run->voice.call = hear;
    run->voice.user = run;
}

/* What was said before the log was open, a line each. */
static int write_notes(struct maskdm_run *run, int64_t step)
{
    struct maskdm_text t = {0};
    char *line = run->notes.data, *end;
    int status = maskdm_text_ok(&run->notes);

    for (; status == MASKDM_OK && line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        maskdm_text_addf(&t, "{\"step\":%lld,\"note\":", (long long)step);
        maskdm_text_add_json(&t, line);
        maskdm_text_add(&t, "}\n");
    }
    if (status == MASKDM_OK)
        status = maskdm_text_ok(&t);
    if (status == MASKDM_OK && t.length)
        status = maskdm_appender_write(run->log, t.data, t.length);
    maskdm_text_free(&t);
    maskdm_text_free(&run->notes);
    return status;
}

int maskdm_run_log_open(struct maskdm_run *run, int64_t step)
{
    char *path = maskdm_run_path(run, "log.jsonl");
    enum maskdm_file_kind kind;
    int status;

    if (!path)
        return MASKDM_ENOMEM;
    status = maskdm_file_kind_of(&kind, path);
    if (status == MASKDM_OK && kind == MASKDM_FILE_REGULAR) /* a device or a pipe has nothing to cut */
        status = cut_back(path, step);
    if (status == MASKDM_OK)
        status = maskdm_appender_open(&run->log, path);
    if (status == MASKDM_OK)
        status = write_notes(run, step);
    maskdm_free(path);
    return status;
}

static void add(struct maskdm_text *t, const char *key, double value)
{
    maskdm_text_addf(t, ",\"%s\":", key);
    maskdm_text_add_double(t, value);
}

int maskdm_run_log_step(struct maskdm_run *run)
{
    struct maskdm_progress p = maskdm_training_progress(run->trainer);
    struct maskdm_text t = {0};
    int status;

    maskdm_text_addf(&t, "{\"step\":%lld", (long long)p.step);
    add(&t, "loss", p.loss);
    add(&t, "lr", p.lr);
    add(&t, "grad_norm", p.grad_norm);
    add(&t, "images_per_second", run->images_per_second);
    maskdm_text_addf(&t, ",\"skipped\":%lld", (long long)p.skipped);
    if (run->validated == p.step) {
        add(&t, "held_out_loss", run->held_out_loss);
        maskdm_text_add(&t, ",\"held_out_buckets\":[");
        for (int k = 0; k < MASKDM_RUN_BUCKETS; k++) {
            maskdm_text_add(&t, k ? "," : "");
            maskdm_text_add_double(&t, run->bucket[k]);
        }
        maskdm_text_add(&t, "]");
    }
    maskdm_text_add(&t, "}\n");
    status = maskdm_text_ok(&t);
    if (status == MASKDM_OK)
        status = maskdm_appender_write(run->log, t.data, t.length);
    maskdm_text_free(&t);
    return status;
}
