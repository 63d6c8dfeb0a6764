/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a training step goes: its stages, and the program's operations, alike ones together (same op, and same
 * weight, however many blocks have one). Bytes are what each operation has to read and write once, whatever it does.
 */
#include "bench.h"

#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KINDS = 64, NAME = 64 };

struct kind {
    char name[NAME];
    int nodes;
    double seconds[2], flops[2], bytes[2];
};

enum stage { DRAW, FORWARD, LOSS, BACKWARD, OPTIMIZER, STAGES };

static const char *const stage_name[STAGES] = {"draw", "forward", "loss", "backward", "optimizer"};

/* The op, and the last two parts of its weight's name. */
static void name_node(char name[NAME], const struct mdm_graph *g, const struct mdm_node *n)
{
    const char *weight = "";

    for (int k = 0; k < MDM_MAX_IN && !*weight; k++)
        if (n->in[k] >= 0 && g->val[n->in[k]].role == MDM_PARAM) {
            const char *full = g->layout->list[g->val[n->in[k]].param].name;
            int dots = 0;

            for (weight = full + strlen(full); weight > full && dots < 2; weight--)
                dots += weight[-1] == '.';
            weight += dots == 2;
        }
    snprintf(name, NAME, "%s %s", n->op->name, weight);
}

static double size_of(const struct mdm_graph *g, mdm_val v)
{
    return (double)g->val[v].numel * (double)mdm_dtype_size(g->val[v].dtype);
}

static double node_bytes(const struct mdm_graph *g, const struct mdm_node *n, int backward)
{
    double bytes = 0;

    for (int k = 0; k < MDM_MAX_IN; k++)
        if (n->in[k] >= 0) {
            if (!backward || n->op->reads_in >> k & 1)
                bytes += size_of(g, n->in[k]);
            if (backward && mdm_graph_flows(g, n->in[k]))
                bytes += size_of(g, n->in[k]) * (n->add[k] ? 2 : 1);
        }
    for (int k = 0; k < MDM_MAX_OUT && n->out[k] >= 0; k++) {
        const struct mdm_value *x = &g->val[n->out[k]];

        if (!backward ? x->at != SIZE_MAX : (int)(n->op->reads_out >> k & 1))
            bytes += size_of(g, n->out[k]);
        if (backward && x->grad_at != SIZE_MAX)
            bytes += size_of(g, n->out[k]);
    }
    return bytes;
}

static void add_node(struct kind *list, int *count, const struct mdm_graph *g, const struct mdm_node *n)
{
    char name[NAME];
    int i = 0;

    name_node(name, g, n);
    while (i < *count && strcmp(list[i].name, name) != 0)
        i++;
    if (i == MAX_KINDS)
        return;
    if (i == *count) {
        list[i] = (struct kind){.nodes = 0};
        memcpy(list[i].name, name, NAME);
        (*count)++;
    }
    list[i].nodes++;
    for (int b = 0; b < 2; b++) {
        list[i].seconds[b] += n->seconds[b];
        list[i].flops[b] += n->op->flops && (!b || n->backward) ? n->op->flops(g, n, b) : 0;
        list[i].bytes[b] += !b || n->backward ? node_bytes(g, n, b) : 0;
    }
}

static int by_seconds(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    double s = x->seconds[0] + x->seconds[1], t = y->seconds[0] + y->seconds[1];

    return (s < t) - (s > t);
}

static int run_stage(struct bench *b, enum stage stage)
{
    double loss;

    switch (stage) {
    case DRAW:
        return maskdm_trainer_draw(b->trainer, b->data, 0);
    case FORWARD:
        return maskdm_trainer_forward(b->trainer);
    case LOSS:
        return maskdm_trainer_loss(b->trainer, &loss);
    case BACKWARD:
        return maskdm_trainer_backward(b->trainer, NULL);
    default:
        return mdm_optimizer_step(b->optimizer, 1, 0);
    }
}

static void print_kinds(const struct mdm_graph *g, int steps)
{
    struct kind list[MAX_KINDS];
    double all = 0;
    int count = 0;

    for (int i = 0; i < g->n_node; i++)
        add_node(list, &count, g, &g->node[i]);
    qsort(list, (size_t)count, sizeof *list, by_seconds);
    for (int i = 0; i < count; i++)
        all += list[i].seconds[0] + list[i].seconds[1];
    printf("  %-36s %5s %6s %11s %9s %8s %11s %9s %8s\n", "operation", "nodes", "share", "forward ms", "GFLOP/s",
           "GB/s", "backward ms", "GFLOP/s", "GB/s");
    for (int i = 0; i < count; i++) {
        const struct kind *k = &list[i];

        printf("  %-36s %5d %5.1f%%", k->name, k->nodes, 100 * (k->seconds[0] + k->seconds[1]) / all);
        for (int b = 0; b < 2; b++)
            printf(" %11.3f %9.1f %8.1f", 1e3 * k->seconds[b] / steps,
                   k->seconds[b] > 0 ? k->flops[b] * steps / k->seconds[b] / 1e9 : 0,
                   k->seconds[b] > 0 ? k->bytes[b] * steps / k->seconds[b] / 1e9 : 0);
        printf("\n");
    }
}

int run_profile(const struct workload *w, const struct settings *s)
{
    double seconds[STAGES] = {0}, start, all = 0;
    struct bench b;
    int rc = bench_open(&b, w, s, s->threads);

    if (rc == 0)
        rc = bench_step(&b) < 0 ? -1 : 0;
    if (rc == 0)
        b.trainer->program->graph.profiling = 1;
    for (int r = 0; rc == 0 && r < s->rounds; r++)
        for (int i = 0; rc == 0 && i < STAGES; i++) {
            start = clock_seconds();
            rc = run_stage(&b, (enum stage)i);
            rc = rc < 0 ? rc : bench_wait(&b);
            seconds[i] += clock_seconds() - start;
        }
    if (rc < 0) {
        bench_failed(w);
    } else {
        printf("%s %s, ", w->label, w->what);
        if (is_cpu(s))
            printf("fma_gflops=%.1f memory_gbs=%.1f, ", machine_fma(s->instruction_set, s->threads),
                   machine_bandwidth(s->threads));
        printf("ms a step:");
        for (int i = 0; i < STAGES; all += seconds[i++])
            printf(" %s %.2f,", stage_name[i], 1e3 * seconds[i] / s->rounds);
        printf(" all %.2f\n", 1e3 * all / s->rounds);
        print_kinds(&b.trainer->program->graph, s->rounds);
    }
    bench_close(&b);
    return rc < 0;
}
