/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures over rounds, and the line of a workload.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void series_add(struct series *s, double x)
{
    if (s->n < MAX_ROUNDS)
        s->x[s->n++] = x;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct series sort(const struct series *s)
{
    struct series sorted = *s;

    qsort(sorted.x, (size_t)sorted.n, sizeof *sorted.x, by_value);
    return sorted;
}

double series_median(const struct series *s)
{
    struct series o = sort(s);

    return o.n == 0 ? 0 : o.n % 2 ? o.x[o.n / 2] : 0.5 * (o.x[o.n / 2 - 1] + o.x[o.n / 2]);
}

void rates_add(struct rates *r, const struct settings *s)
{
    series_add(&r->fma, machine_fma(s->instruction_set, s->threads));
    series_add(&r->memory, machine_bandwidth(s->threads));
}

void print_line(const struct workload *w, const struct settings *s, const struct series *ratio, const struct rates *r,
                const char *format, ...)
{
    struct series o = sort(ratio);
    va_list list;

    printf("%s ", w->label);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf(" ratio=%.3f ratio_min=%.3f ratio_max=%.3f fma_gflops=%.1f memory_gbs=%.1f instruction_set=%s threads=%d "
           "rounds=%d what=\"%s\"\n",
           series_median(ratio), o.x[0], o.x[o.n - 1], series_median(&r->fma), series_median(&r->memory),
           s->instruction_set, s->threads, o.n, w->what);
    fflush(stdout);
}
