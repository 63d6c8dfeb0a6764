/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A training step against the floor of its products; the optimizer's pass against the memory's rate; and what two
 * threads gain over one.
 */
#include "floor.h"

#include "train/trainer.h"

#include <stdio.h>

/* Bytes that one step of the optimizer moves: the gradient for its norm; then weight, gradient, both moments and the
 * average, read and written. */
static double optimizer_bytes(const maskdm_optimizer *o)
{
    return (double)o->length * sizeof(float) * (1 + 2 * (o->ema ? 5 : 4));
}

/* Its share is of what the memory gave just before and just after: that rate moves from second to second. */
static int time_optimizer(struct bench *b, int threads, struct series *gbs, struct series *share)
{
    double before = machine_bandwidth(threads), start = clock_seconds(), rate;
    int rc = 0;

    for (int i = 0; i < 4 && rc == 0; i++)
        rc = mdm_optimizer_step(b->optimizer, 1, 0);
    rate = 4 * optimizer_bytes(b->optimizer) / (clock_seconds() - start) / 1e9;
    series_add(gbs, rate);
    series_add(share, 2 * rate / (before + machine_bandwidth(threads)));
    return rc;
}

int run_training(const struct workload *w, const struct settings *s)
{
    struct series step = {.n = 0}, floor = {.n = 0}, ratio = {.n = 0}, gbs = {.n = 0}, share = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    struct products products = {.count = 0};
    struct floor *f = NULL;
    struct bench b;
    int rc = bench_open(&b, w, s, s->threads);
    double t, flops;

    if (rc == 0)
        rc = floor_open(&f, s);
    if (rc == 0) {
        rc = list_program(&products, &b.trainer->program->graph);
        if (rc < 0)
            list_products(&products, w, maskdm_trainer_visible(b.trainer), 1);
        rc = bench_step(&b) < 0 ? -1 : 0; /* warm */
    }
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        rates_add(&rates, s);
        t = floor_seconds(f, &products);
        series_add(&floor, t);
        t = bench_step(&b);
        series_add(&step, t);
        series_add(&ratio, floor.x[r] / t);
        rc = t < 0 ? -1 : time_optimizer(&b, s->threads, &gbs, &share);
    }
    if (rc < 0)
        bench_failed(w);
    flops = products_flops(&products);
    t = series_median(&step);
    if (rc == 0)
        print_line(w, s, &ratio, &rates,
                   "step_ms=%.1f images_per_s=%.2f floor_ms=%.1f gflops=%.1f fma_share=%.3f optimizer_gbs=%.1f "
                   "optimizer_share=%.3f peak_mib=%.0f batch=%ld tokens=%ld",
                   1e3 * t, (double)w->batch / t, 1e3 * series_median(&floor), flops / t / 1e9,
                   flops / t / 1e9 / series_median(&rates.fma), series_median(&gbs), series_median(&share),
                   (double)maskdm_device_memory_peak(b.dev) / 1048576, (long)w->batch,
                   (long)maskdm_trainer_visible(b.trainer) + 1);
    floor_close(&f);
    bench_close(&b);
    return rc < 0;
}

/* ratio: what the step gains from s->threads threads over one, against what a loop in registers gains. */
int run_threads(const struct workload *w, const struct settings *s)
{
    struct series gain = {.n = 0}, limit = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    struct bench one, all;
    int rc = bench_open(&one, w, s, 1), rc2 = bench_open(&all, w, s, s->threads);

    rc = rc < 0 || rc2 < 0 || bench_step(&one) < 0 || bench_step(&all) < 0 ? -1 : 0;
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        double slow, fast, single;

        rates_add(&rates, s);
        single = machine_fma(s->instruction_set, 1);
        slow = bench_step(&one);
        fast = bench_step(&all);
        rc = slow < 0 || fast < 0 ? -1 : 0;
        series_add(&gain, slow / fast);
        series_add(&limit, rates.fma.x[r] / single);
        series_add(&ratio, gain.x[r] / limit.x[r]);
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "gain=%.3f fma_gain=%.3f batch=%ld", series_median(&gain),
                   series_median(&limit), (long)w->batch);
    bench_close(&one);
    bench_close(&all);
    return rc < 0;
}
