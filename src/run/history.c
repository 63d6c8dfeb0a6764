/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a run's log; see history.h.
 */
#include "run/history.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "text/json.h"

#include <math.h>
#include <string.h>

enum { LOG_LIMIT = 1 << 30 }; /* bytes */

static const char *const names[] = {
    [MDM_COLUMN_STEP] = "step",
    [MDM_COLUMN_TIME] = "time",
    [MDM_COLUMN_ELAPSED] = "elapsed",
    [MDM_COLUMN_IMAGES] = "images",
    [MDM_COLUMN_EPOCH] = "epoch",
    [MDM_COLUMN_TOKENS] = "tokens",
    [MDM_COLUMN_FLOPS] = "flops",
    [MDM_COLUMN_SECONDS] = "seconds",
    [MDM_COLUMN_LOSS] = "mean_loss",
    [MDM_COLUMN_HELD_OUT] = "held_out_loss",
    [MDM_COLUMN_LR] = "lr",
    [MDM_COLUMN_GRAD_NORM] = "grad_norm",
    [MDM_COLUMN_SPEED] = "images_per_second",
    [MDM_COLUMN_MEMORY] = "memory",
    [MDM_COLUMN_SKIPPED] = "skipped",
};

const char *mdm_history_name(enum mdm_column column)
{
    return names[column];
}

/* ---- one line ---- */

struct line {
    double value[MDM_COLUMNS];
    double step_loss;
    int is_step, is_note;
};

static double *place_of(struct line *l, const char *key)
{
    for (int k = 0; k < MDM_COLUMNS; k++)
        if (!strcmp(key, names[k]))
            return &l->value[k];
    return strcmp(key, "loss") ? NULL : &l->step_loss;
}

/* A line by its members; 0 where it is no object. */
static int read_members(struct line *l, struct mdm_json *j)
{
    double *number = NULL;
    int event;

    while ((event = mdm_json_next(j)) > MDM_JSON_END) {
        if (number && event == MDM_JSON_NUMBER && mdm_json_double(j, number) < 0)
            return 0;
        number = NULL;
        if (event != MDM_JSON_KEY || j->depth != 1)
            continue;
        l->is_note |= !strcmp(j->text, "note");
        l->is_step |= !strcmp(j->text, "images");
        number = place_of(l, j->text);
    }
    return event == MDM_JSON_END;
}

static int read_line(struct line *l, const char *text, size_t bytes)
{
    struct mdm_json j;
    int whole;

    *l = (struct line){.step_loss = (double)NAN};
    for (int k = 0; k < MDM_COLUMNS; k++)
        l->value[k] = (double)NAN;
    mdm_json_open(&j, text, bytes);
    whole = read_members(l, &j);
    mdm_json_close(&j);
    if (isnan(l->value[MDM_COLUMN_ELAPSED]))
        l->value[MDM_COLUMN_ELAPSED] = l->value[MDM_COLUMN_SECONDS];
    if (isnan(l->value[MDM_COLUMN_LOSS]))
        l->value[MDM_COLUMN_LOSS] = l->step_loss;
    return whole && l->value[MDM_COLUMN_STEP] >= 0 && (l->is_step || l->is_note);
}

/* ---- all of them ---- */

static int add(struct mdm_history *h, const struct line *l)
{
    while (h->count && h->line[h->count - 1][MDM_COLUMN_STEP] >= l->value[MDM_COLUMN_STEP])
        h->count--;
    if (h->count == h->capacity) {
        const int64_t capacity = h->capacity ? 2 * h->capacity : 256;
        double(*larger)[MDM_COLUMNS] = mdm_realloc(h->line, (size_t)capacity * sizeof *larger);

        if (!larger)
            return mdm_fail_memory((size_t)capacity * sizeof *larger, "a run's log");
        h->line = larger;
        h->capacity = capacity;
    }
    memcpy(h->line[h->count++], l->value, sizeof l->value);
    return MASKDM_OK;
}

int mdm_history_parse(struct mdm_history *h, const char *text, size_t bytes)
{
    const char *end;

    for (size_t at = 0; (end = memchr(text + at, '\n', bytes - at)); at = (size_t)(end - text) + 1) {
        struct line l;

        if (!read_line(&l, text + at, (size_t)(end - text) - at))
            h->unread++;
        else if (l.is_step)
            MDM_TRY(add(h, &l));
    }
    return MASKDM_OK;
}

int mdm_history_read(struct mdm_history *h, const char *folder)
{
    char *path = mdm_path_join(folder, "log.jsonl"), *text = NULL;
    enum mdm_file_kind kind = MDM_FILE_NONE;
    size_t bytes;
    int status = path ? mdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    if (status == MASKDM_OK && kind == MDM_FILE_REGULAR)
        status = mdm_file_read_all(&text, &bytes, path, LOG_LIMIT);
    if (status == MASKDM_OK && text)
        status = mdm_history_parse(h, text, bytes);
    mdm_free(text);
    mdm_free(path);
    return status;
}

void mdm_history_free(struct mdm_history *h)
{
    mdm_free(h->line);
    *h = (struct mdm_history){0};
}

int64_t mdm_history_last(const struct mdm_history *h, enum mdm_column column)
{
    int64_t i = h->count - 1;

    while (i >= 0 && isnan(h->line[i][column]))
        i--;
    return i;
}
