/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of runs in one picture, or their numbers as a table. A loss is drawn twice: as it was, pale, and over that a
 * mean along the way, since one line of a log is mostly noise.
 */
#include "run/plot.h"

#include "base/alloc.h"
#include "base/error.h"
#include "run/chart.h"
#include "run/history.h"
#include "run/options.h"

#include <math.h>
#include <string.h>

enum { RUNS_MOST = 256, PANELS = 2, SMOOTH_FROM = 60 /* lines */, SMOOTH_PARTS = 40 };

static const struct {
    enum mdm_column column;
    double unit;
    const char *title;
} axis[] = {
    {MDM_COLUMN_STEP, 1, "steps"},   {MDM_COLUMN_ELAPSED, 3600, "hours"}, {MDM_COLUMN_IMAGES, 1, "images"},
    {MDM_COLUMN_EPOCH, 1, "epochs"}, {MDM_COLUMN_TOKENS, 1, "tokens"},    {MDM_COLUMN_FLOPS, 1, "FLOP"},
};

static const struct {
    enum mdm_column column;
    const char *title;
    int smooth;
} drawn[] = {
    {MDM_COLUMN_LOSS, "training loss", 1},    {MDM_COLUMN_HELD_OUT, "held-out loss", 0},
    {MDM_COLUMN_LR, "learning rate", 0},      {MDM_COLUMN_GRAD_NORM, "gradient norm", 1},
    {MDM_COLUMN_SPEED, "images a second", 0}, {MDM_COLUMN_MEMORY, "device memory, bytes", 0},
};
enum { LOSS, HELD_OUT };

struct job {
    struct mdm_plot_run_options told;
    const char *const *run;
    int64_t count;
    struct mdm_history *history; /* of every run */
    char (*name)[MDM_PLOT_NAME];
};

/* ---- reading ---- */

/* The folder's own name, its last letters where it is long; the whole path where two of them share it. */
static void name_run(struct job *j, int64_t i)
{
    const char *path = j->run[i];
    size_t end = strlen(path), begin;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (begin = end; begin > 0 && path[begin - 1] != '/';)
        begin--;
    if (end - begin >= MDM_PLOT_NAME)
        begin = end - MDM_PLOT_NAME + 1;
    mdm_format(j->name[i], MDM_PLOT_NAME, "%.*s", (int)(end - begin), path + begin);
}

static void tell_apart(struct job *j)
{
    for (int64_t i = 0; i < j->count; i++)
        for (int64_t k = 0; k < i; k++)
            if (!strcmp(j->name[i], j->name[k]) && strcmp(j->run[i], j->run[k]) != 0) {
                mdm_format(j->name[i], MDM_PLOT_NAME, "%s", j->run[i]);
                mdm_format(j->name[k], MDM_PLOT_NAME, "%s", j->run[k]);
            }
}

static int read_runs(struct job *j)
{
    const enum mdm_column x = axis[j->told.x].column;

    j->history = mdm_need((size_t)j->count, sizeof *j->history, "the logs of runs");
    j->name = mdm_need((size_t)j->count, sizeof *j->name, "the names of runs");
    if (!j->history || !j->name)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < j->count; i++) {
        MDM_TRY(mdm_history_read(&j->history[i], j->run[i]));
        if (!j->history[i].count)
            return mdm_fail(MASKDM_ENOTFOUND, "%s is no folder of a run whose log has a line of a step", j->run[i]);
        if (mdm_history_last(&j->history[i], x) < 0)
            return mdm_fail(MASKDM_ENOTFOUND, "the log of %s says nothing of %s", j->run[i], axis[j->told.x].title);
        name_run(j, i);
    }
    tell_apart(j);
    return MASKDM_OK;
}

/* ---- drawing ---- */

/* Two of each run in a panel: as it was, and smooth. */
struct curves {
    struct mdm_chart_series *series;
    struct mdm_point *point; /* of all of them */
    int count;
};

static void free_curves(struct curves *c)
{
    mdm_free(c->series);
    mdm_free(c->point);
}

static int64_t take_points(struct mdm_point *out, const struct job *j, int64_t run, enum mdm_column column)
{
    const struct mdm_history *h = &j->history[run];
    int64_t n = 0;

    for (int64_t i = 0; i < h->count; i++) {
        const double x = h->line[i][axis[j->told.x].column] / axis[j->told.x].unit, y = h->line[i][column];

        if (isfinite(x) && isfinite(y))
            out[n++] = (struct mdm_point){x, y};
    }
    return n;
}

/* Means over windows of a fortieth of the points, narrower at both ends. */
static void smooth(struct mdm_point *out, const struct mdm_point *in, int64_t count)
{
    const int64_t half = count / SMOOTH_PARTS / 2;

    for (int64_t i = 0; i < count; i++) {
        const int64_t left = i < count - 1 - i ? i : count - 1 - i, reach = half < left ? half : left;
        double sum = 0;

        for (int64_t k = i - reach; k <= i + reach; k++)
            sum += in[k].y;
        out[i] = (struct mdm_point){in[i].x, sum / (double)(2 * reach + 1)};
    }
}

static int make_curves(struct curves *c, const struct job *j, int what)
{
    int64_t lines = 0;
    struct mdm_point *at;

    for (int64_t i = 0; i < j->count; i++)
        lines += 2 * j->history[i].count;
    *c = (struct curves){.series = mdm_need((size_t)(2 * j->count), sizeof *c->series, "curves"),
                         .point = mdm_need((size_t)lines, sizeof *c->point, "curves")};
    if (!c->series || !c->point)
        return MASKDM_ENOMEM;
    at = c->point;
    for (int64_t i = 0; i < j->count; i++) {
        const unsigned color = mdm_chart_color((int)i);
        const int64_t n = take_points(at, j, i, drawn[what].column);
        const int twice = drawn[what].smooth && n >= SMOOTH_FROM;

        if (!n)
            continue;
        c->series[c->count++] = (struct mdm_chart_series){
            twice ? NULL : j->name[i], twice ? mdm_chart_light(color) : color, twice ? 1 : 2, n, at};
        at += n;
        if (!twice)
            continue;
        smooth(at, at - n, n);
        c->series[c->count++] = (struct mdm_chart_series){j->name[i], color, 2, n, at};
        at += n;
    }
    return MASKDM_OK;
}

static int has(const struct job *j, enum mdm_column column)
{
    for (int64_t i = 0; i < j->count; i++)
        if (mdm_history_last(&j->history[i], column) >= 0)
            return 1;
    return 0;
}

/* Which of drawn[]; their number. */
static int choose_panels(int what[PANELS], const struct job *j)
{
    int count = 1;

    what[0] = j->told.y == MDM_PLOT_AUTO ? LOSS : (int)j->told.y - 1;
    if (j->told.y == MDM_PLOT_AUTO && has(j, MDM_COLUMN_HELD_OUT))
        what[count++] = HELD_OUT;
    if (!has(j, drawn[what[0]].column))
        return mdm_fail(MASKDM_ENOTFOUND, "no log says anything of the %s", drawn[what[0]].title);
    return count;
}

static int draw(const struct job *j, enum mdm_plot_format format, struct mdm_writer **place)
{
    struct mdm_chart_panel panel[PANELS];
    struct curves curves[PANELS] = {{.count = 0}};
    struct mdm_canvas *canvas = NULL;
    int what[PANELS], panels = choose_panels(what, j), status = panels < 0 ? panels : MASKDM_OK;

    for (int k = 0; k < panels && status == MASKDM_OK; k++) {
        status = make_curves(&curves[k], j, what[k]);
        panel[k] = (struct mdm_chart_panel){drawn[what[k]].title, curves[k].series, curves[k].count,
                                            (enum mdm_chart_scale)j->told.scale};
    }
    if (status == MASKDM_OK)
        status = (format == MDM_PLOT_PNG ? mdm_canvas_png : mdm_canvas_svg)(&canvas, j->told.width, j->told.height);
    if (status == MASKDM_OK) {
        mdm_chart_draw(canvas, panel, panels, axis[j->told.x].title);
        status = canvas->kind->finish(canvas, place);
    }
    for (int k = 0; k < PANELS; k++)
        free_curves(&curves[k]);
    return status;
}

/* ---- the job ---- */

static int choose_format(enum mdm_plot_format *out, const struct mdm_plot_run_options *told)
{
    static const char *const suffix[] = {NULL, ".svg", ".png", ".csv"};
    const size_t n = strlen(told->out);

    *out = told->format;
    for (int k = MDM_PLOT_SVG; *out == MDM_PLOT_BY_NAME && k <= MDM_PLOT_CSV; k++)
        if (n > 4 && !strcmp(told->out + n - 4, suffix[k]))
            *out = (enum mdm_plot_format)k;
    if (*out == MDM_PLOT_BY_NAME)
        return mdm_fail(MASKDM_EINVAL, "cannot write %s: a plot is .svg, .png or .csv", told->out);
    return MASKDM_OK;
}

static int work(struct job *j)
{
    struct mdm_writer *place = NULL;
    enum mdm_plot_format format;
    int status;

    MDM_TRY(choose_format(&format, &j->told));
    MDM_TRY(mdm_writer_reserve(&place, j->told.out));
    status = read_runs(j);
    if (status == MASKDM_OK)
        status =
            format == MDM_PLOT_CSV ? mdm_plot_table(j->history, j->name, j->count, &place) : draw(j, format, &place);
    mdm_writer_abandon(&place);
    return status;
}

int mdm_plot(const char *const *runs, int64_t count, const maskdm_options *options)
{
    struct job j = {.run = runs, .count = count};
    int status;

    if (mdm_options_kind(options) != &mdm_plot_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not plot", mdm_options_kind(options)->name);
    if (count < 1 || count > RUNS_MOST)
        return mdm_fail(MASKDM_EINVAL, "%lld runs: 1 to %d are possible", (long long)count, RUNS_MOST);
    MDM_TRY(mdm_options_check(options));
    mdm_options_read(options, &mdm_plot_run_options, &j.told);
    status = work(&j);
    for (int64_t i = 0; j.history && i < count; i++)
        mdm_history_free(&j.history[i]);
    mdm_free(j.history);
    mdm_free(j.name);
    return status;
}
