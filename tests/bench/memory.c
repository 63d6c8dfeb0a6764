/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of a training step: what the process took at its peak, against what was foretold before anything was
 * allocated, and against a program that gives every value a buffer of its own.
 */
#include "bench.h"

#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of /proc/self/status in bytes; 0 where there is none. */
static double read_status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtod(line + strlen(name), NULL);
    if (f)
        fclose(f);
    return kib * 1024;
}

static void reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");

    if (f) {
        fputs("5", f);
        fclose(f);
    }
}

/* ratio: the peak over the figure foretold; images that the bench itself holds are left out of both. */
int run_memory(const struct workload *w, const struct settings *s)
{
    const double image_bytes = (double)(w->batch * w->side * w->side * 3);
    struct series ratio = {.n = 0}, share = {.n = 0}, peak = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    maskdm_options *network = NULL;
    double foretold = 0, arena = 0, unshared = 0;
    int rc = make_options(&network, "uvit", w->network);

    rates_add(&rates, s);
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        const double before = (reset_peak(), read_status("VmRSS:"));
        struct bench b;
        size_t bytes = 0;

        rc = bench_open(&b, w, s, s->threads);
        maskdm_model_release(&b.model); /* as a run does: the trainer has its own copy */
        if (rc == 0 && (rc = maskdm_trainer_step(b.trainer, b.data)) == 0 &&
            (rc = maskdm_trainer_step(b.trainer, b.data)) == 0)
            rc = maskdm_model_estimate(&bytes, b.dev, "uvit", network, 1, w->batch, b.trainer->visible);
        if (rc == 0) {
            foretold = (double)bytes;
            arena = (double)b.trainer->program->graph.arena_bytes;
            unshared = (double)b.trainer->program->graph.unplanned_bytes;
            series_add(&peak, read_status("VmHWM:") - before - image_bytes);
            series_add(&ratio, peak.x[r] / foretold);
            series_add(&share, peak.x[r] / (foretold - arena + unshared));
        }
        bench_close(&b);
    }
    maskdm_options_release(&network);
    if (rc < 0)
        return bench_failed(w);
    print_line(w, s, &ratio, &rates,
               "peak_mib=%.0f foretold_mib=%.0f share_of_unshared=%.3f arena_mib=%.0f unshared_arena_mib=%.0f",
               series_median(&peak) / 1048576, foretold / 1048576, series_median(&share), arena / 1048576,
               unshared / 1048576);
    return 0;
}
