/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What hiding patches gains: images a second of a masked step over those of a step that sees everything, against the
 * quotient of their operations.
 */
#include "floor.h"

int run_speedup(const struct workload *w, const struct settings *s)
{
    struct series speedup = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    struct products few, every;
    struct workload full = *w;
    struct bench masked, whole;
    double limit = 0;
    int rc, rc2;

    full.mask = "type=none";
    full.batch = 16;
    rc = bench_open(&masked, w, s, s->threads);
    rc2 = bench_open(&whole, &full, s, s->threads);
    rc = rc < 0 || rc2 < 0 || bench_step(&masked) < 0 || bench_step(&whole) < 0 ? -1 : 0;
    if (rc == 0) {
        list_products(&few, w, maskdm_trainer_visible(masked.trainer), 1);
        list_products(&every, &full, maskdm_trainer_visible(whole.trainer), 1);
        limit = products_flops(&every) / (double)full.batch / (products_flops(&few) / (double)w->batch);
    }
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        double slow, fast;

        rates_add(&rates, s);
        slow = bench_step(&whole) / (double)full.batch;
        fast = bench_step(&masked) / (double)w->batch;
        rc = slow < 0 || fast < 0 ? -1 : 0;
        series_add(&speedup, slow / fast);
        series_add(&ratio, slow / fast / limit);
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "speedup=%.2f limit=%.2f batch=%ld tokens=%ld", series_median(&speedup),
                   limit, (long)w->batch, (long)maskdm_trainer_visible(masked.trainer) + 1);
    bench_close(&masked);
    bench_close(&whole);
    return rc < 0;
}
