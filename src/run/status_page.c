/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of a run's folder: a page for people, which ends with what to do next, and JSON.
 */
#include "run/status.h"

#include "base/error.h"
#include "text/size.h"

#include <math.h>
#include <string.h>

/* ---- what follows from what was read ---- */

static double last(const struct mdm_status *s, enum mdm_column column)
{
    const int64_t i = mdm_history_last(&s->history, column);

    return i < 0 ? (double)NAN : s->history.line[i][column];
}

static int64_t step_of(const struct mdm_status *s)
{
    const int64_t newest = s->saved.count ? s->saved.step[s->saved.count - 1] : 0;

    return s->history.count ? (int64_t)last(s, MDM_COLUMN_STEP) : newest;
}

static int is_finished(const struct mdm_status *s)
{
    return !s->running && s->steps >= 0 && s->saved.count && s->saved.step[s->saved.count - 1] >= s->steps;
}

/* The line with the lowest held-out loss, or -1. */
static int64_t find_best(const struct mdm_status *s)
{
    int64_t best = -1;

    for (int64_t i = 0; i < s->history.count; i++) {
        const double x = s->history.line[i][MDM_COLUMN_HELD_OUT];

        if (isfinite(x) && (best < 0 || x < s->history.line[best][MDM_COLUMN_HELD_OUT]))
            best = i;
    }
    return best;
}

/* By the time that the steps of the last lines took, ten minutes of them or all. */
static double seconds_left(const struct mdm_status *s)
{
    const struct mdm_history *h = &s->history;
    int64_t i = h->count - 1;
    double steps, seconds;

    if (s->steps < 0 || i < 1)
        return (double)NAN;
    do
        i--;
    while (i > 0 && h->line[h->count - 1][MDM_COLUMN_ELAPSED] - h->line[i][MDM_COLUMN_ELAPSED] < 600);
    steps = h->line[h->count - 1][MDM_COLUMN_STEP] - h->line[i][MDM_COLUMN_STEP];
    seconds = h->line[h->count - 1][MDM_COLUMN_ELAPSED] - h->line[i][MDM_COLUMN_ELAPSED];
    return seconds / steps * (double)(s->steps - step_of(s));
}

/* ---- the page ---- */

static void add_time(struct mdm_text *t, double seconds)
{
    const int64_t s = (int64_t)(seconds + 0.5);

    mdm_text_addf(t, "%lld:%02d:%02d", (long long)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

static void add_state(const struct mdm_status *s, struct mdm_text *t)
{
    const int64_t step = step_of(s);
    char folder[512];

    mdm_one_line(folder, sizeof folder, s->folder);
    mdm_text_addf(t, "%s: %s, %s\n", folder, *s->kind ? s->kind : "a run",
                  s->running       ? "running"
                  : is_finished(s) ? "finished"
                                   : "not running, not finished");
    if (*s->unread)
        mdm_text_addf(t, "warning: %s\n", s->unread);
    mdm_text_addf(t, "step %lld", (long long)step);
    if (s->steps >= 0)
        mdm_text_addf(t, " of %lld (%.3g %%)", (long long)s->steps, 100 * (double)step / (double)s->steps);
    if (isfinite(last(s, MDM_COLUMN_EPOCH)))
        mdm_text_addf(t, ", epoch %.4g", last(s, MDM_COLUMN_EPOCH));
    if (isfinite(last(s, MDM_COLUMN_IMAGES)))
        mdm_text_addf(t, ", %.0f images", last(s, MDM_COLUMN_IMAGES));
    mdm_text_add(t, "\n");
}

static void add_losses(const struct mdm_status *s, struct mdm_text *t)
{
    const int64_t newest = mdm_history_last(&s->history, MDM_COLUMN_HELD_OUT), best = find_best(s);
    const double skipped = last(s, MDM_COLUMN_SKIPPED);

    if (isfinite(last(s, MDM_COLUMN_LOSS)))
        mdm_text_addf(t, "loss %.5g", last(s, MDM_COLUMN_LOSS));
    if (skipped > 0)
        mdm_text_addf(t, ", %.0f steps skipped, whose loss or gradient was not finite", skipped);
    if (s->history.count)
        mdm_text_add(t, "\n");
    if (newest < 0)
        return;
    mdm_text_addf(t, "held out %.5g at step %.0f", s->history.line[newest][MDM_COLUMN_HELD_OUT],
                  s->history.line[newest][MDM_COLUMN_STEP]);
    if (best != newest)
        mdm_text_addf(t, ", lowest %.5g at step %.0f", s->history.line[best][MDM_COLUMN_HELD_OUT],
                      s->history.line[best][MDM_COLUMN_STEP]);
    mdm_text_add(t, "\n");
}

static void add_times(const struct mdm_status *s, double now, struct mdm_text *t)
{
    if (!s->history.count)
        return;
    if (isfinite(last(s, MDM_COLUMN_ELAPSED))) {
        mdm_text_add(t, "time ");
        add_time(t, last(s, MDM_COLUMN_ELAPSED));
    }
    if (isfinite(last(s, MDM_COLUMN_SPEED)))
        mdm_text_addf(t, ", %.4g images a second", last(s, MDM_COLUMN_SPEED));
    if (s->running && isfinite(seconds_left(s)) && seconds_left(s) < 1e9) {
        mdm_text_add(t, ", ");
        add_time(t, seconds_left(s));
        mdm_text_add(t, " left");
    }
    if (now > last(s, MDM_COLUMN_TIME)) {
        mdm_text_add(t, ", last line ");
        add_time(t, now - last(s, MDM_COLUMN_TIME));
        mdm_text_add(t, " ago");
    }
    mdm_text_add(t, "\n");
}

static void add_files(const struct mdm_status *s, struct mdm_text *t)
{
    char bytes[MDM_SIZE_TEXT];

    mdm_text_add(t, "checkpoints");
    for (int64_t i = 0; i < s->saved.count; i++)
        mdm_text_addf(t, "%s %lld", i ? "," : "", (long long)s->saved.step[i]);
    mdm_text_addf(t, "%s; %s\n", s->saved.count ? "" : ": none",
                  s->model     ? "model.safetensors"
                  : s->adapter ? "adapter.safetensors"
                               : "no model file yet");
    mdm_size_write(bytes, (double)s->bytes);
    mdm_text_addf(t, "%s on disk in %lld files\n", bytes, (long long)s->files);
    if (s->history.unread)
        mdm_text_addf(t, "warning: %lld line%s of log.jsonl cannot be read\n", (long long)s->history.unread,
                      s->history.unread == 1 ? "" : "s");
}

/* The folder, with what stands in it, as a shell takes it. */
static void add_word(struct mdm_text *t, const char *folder, const char *file)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    const int quoted = folder[strspn(folder, plain)] != '\0';

    mdm_text_add(t, quoted ? "'" : "");
    for (const char *s = folder; *s; s++)
        mdm_text_add_n(t, *s == '\'' ? "'\\''" : s, *s == '\'' ? 4 : 1);
    mdm_text_addf(t, "%s%s", file, quoted ? "'" : "");
}

static void add_next(const struct mdm_status *s, struct mdm_text *t)
{
    if (s->history.count > 1) {
        mdm_text_add(t, "next: maskdm plot ");
        add_word(t, s->folder, "");
        mdm_text_add(t, " --out loss.svg\n");
    }
    if (!s->running && !is_finished(s)) {
        mdm_text_addf(t, "next: maskdm %s --resume ", *s->kind ? s->kind : "pretrain");
        add_word(t, s->folder, "");
        mdm_text_add(t, "\n");
    }
    if (!s->running && s->model) {
        mdm_text_add(t, "next: maskdm sample --model ");
        add_word(t, s->folder, "/model.safetensors");
        mdm_text_add(t, " --out grid.png\n");
    }
}

void mdm_status_write_page(const struct mdm_status *s, double now, struct mdm_text *out)
{
    add_state(s, out);
    add_losses(s, out);
    add_times(s, now, out);
    add_files(s, out);
    add_next(s, out);
}

/* ---- JSON ---- */

static void add_number(struct mdm_text *t, const char *key, double x)
{
    mdm_text_addf(t, ",\"%s\":", key);
    mdm_text_add_double(t, x);
}

void mdm_status_write_json(const struct mdm_status *s, struct mdm_text *out)
{
    static const enum mdm_column told[] = {MDM_COLUMN_TIME,      MDM_COLUMN_ELAPSED, MDM_COLUMN_IMAGES,
                                           MDM_COLUMN_EPOCH,     MDM_COLUMN_LOSS,    MDM_COLUMN_LR,
                                           MDM_COLUMN_GRAD_NORM, MDM_COLUMN_SPEED,   MDM_COLUMN_MEMORY,
                                           MDM_COLUMN_SKIPPED,   MDM_COLUMN_HELD_OUT};
    const int64_t best = find_best(s), newest = mdm_history_last(&s->history, MDM_COLUMN_HELD_OUT);

    mdm_text_add(out, "{\"folder\":");
    mdm_text_add_json_bytes(out, s->folder);
    mdm_text_add(out, ",\"kind\":");
    mdm_text_add_json(out, s->kind);
    mdm_text_addf(out, ",\"running\":%s,\"finished\":%s,\"step\":%lld", s->running ? "true" : "false",
                  is_finished(s) ? "true" : "false", (long long)step_of(s));
    add_number(out, "steps", s->steps < 0 ? (double)NAN : (double)s->steps);
    add_number(out, "seconds_left", seconds_left(s));
    for (size_t i = 0; i < MDM_LENGTH(told); i++)
        add_number(out, mdm_history_name(told[i]), last(s, told[i]));
    add_number(out, "held_out_step", newest < 0 ? (double)NAN : s->history.line[newest][MDM_COLUMN_STEP]);
    add_number(out, "lowest_held_out_loss", best < 0 ? (double)NAN : s->history.line[best][MDM_COLUMN_HELD_OUT]);
    add_number(out, "lowest_held_out_step", best < 0 ? (double)NAN : s->history.line[best][MDM_COLUMN_STEP]);
    mdm_text_add(out, ",\"checkpoints\":[");
    for (int64_t i = 0; i < s->saved.count; i++)
        mdm_text_addf(out, "%s%lld", i ? "," : "", (long long)s->saved.step[i]);
    mdm_text_addf(out, "],\"model\":%s,\"files\":%lld,\"bytes\":%lld,\"unread_lines\":%lld}\n",
                  s->model ? "true" : "false", (long long)s->files, (long long)s->bytes,
                  (long long)s->history.unread);
}
