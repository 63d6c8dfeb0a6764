/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A training or sampling workload on any device: no floor, for that is the host's, but what the work comes to. With
 * --serve it waits for a line of stdin before each measurement, so that a peer can be measured in between.
 */
#include "floor.h"

#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVALUATIONS = 20 };

struct running {
    struct bench b;
    maskdm_sampler *sampler; /* NULL: a trainer */
    unsigned char *pixels;
    double flops;      /* of one step, or of the evaluations of one batch of images */
    double loss, norm; /* of the batch that was exported; NaN where none was */
    int64_t visible;
};

static int open_training(struct running *r, const struct workload *w, const struct settings *s)
{
    const struct mdm_graph *g;

    MDM_TRY(bench_open(&r->b, w, s, s->threads));
    g = &r->b.trainer->program->graph;
    r->flops = mdm_graph_flops(g, 0) + mdm_graph_flops(g, 1);
    r->visible = maskdm_trainer_visible(r->b.trainer);
    if (!s->export)
        return MASKDM_OK;
    MDM_TRY(export_batch(&r->b, w, s->export, &r->loss));
    MDM_TRY(maskdm_trainer_backward(r->b.trainer, NULL));
    MDM_TRY(maskdm_optimizer_step(r->b.optimizer));
    r->norm = maskdm_optimizer_grad_norm(r->b.optimizer);
    return MASKDM_OK;
}

static int open_sampling(struct running *r, const struct workload *w, const struct settings *s)
{
    struct products l;

    MDM_TRY(bench_open_model(&r->b, w, s, s->threads));
    r->visible = r->b.model->geometry.patches;
    list_products(&l, w, r->visible, 0);
    r->flops = EVALUATIONS * products_flops(&l);
    if (s->export)
        MDM_TRY(export_prediction(&r->b, w, s->export, &r->loss));
    r->pixels = calloc((size_t)w->batch, (size_t)(w->side * w->side * 3));
    return r->pixels ? open_sampler(&r->sampler, r->b.model, EVALUATIONS, w->batch) : MASKDM_ENOMEM;
}

/* Seconds of a step, or of a batch of images. */
static double measure(struct running *r, const struct workload *w)
{
    const double start = clock_seconds();
    int count = 0;

    if (!r->sampler)
        return bench_step(&r->b);
    do {
        if (time_images(r->sampler, w->batch, r->pixels) < 0)
            return -1;
        count++;
    } while (clock_seconds() - start < 0.5);
    return (clock_seconds() - start) / count;
}

static void print_facts(const struct running *r, const struct workload *w)
{
    printf("{\"label\": \"%s\", \"what\": \"%s\", \"batch\": %ld, \"tokens\": %ld, \"parameters\": %ld, "
           "\"gflop\": %.6g, \"peak_mib\": %.0f, \"device\": \"%s\"",
           w->label, w->what, (long)w->batch, (long)r->visible + 1, (long)r->b.model->layout.numel, r->flops / 1e9,
           (double)maskdm_device_memory_peak(r->b.dev) / 1048576, maskdm_device_description(r->b.dev));
    if (r->loss >= 0)
        printf(", \"loss\": %.9g", r->loss);
    if (r->norm >= 0)
        printf(", \"grad_norm\": %.9g", r->norm);
    printf("}\n");
    fflush(stdout);
}

static int serve(struct running *r, const struct workload *w)
{
    char line[64];

    while (fgets(line, sizeof line, stdin)) {
        const double t = measure(r, w);

        if (t < 0)
            return -1;
        printf("%.6f\n", 1e3 * t);
        fflush(stdout);
    }
    return 0;
}

static int time_rounds(struct running *r, const struct workload *w, int rounds)
{
    struct series step = {.n = 0};

    for (int i = 0; i < rounds; i++) {
        const double t = measure(r, w);

        if (t < 0)
            return -1;
        series_add(&step, t);
    }
    printf("%s step_ms=%.3f images_per_s=%.1f tflops=%.3f rounds=%d\n", w->label, 1e3 * series_median(&step),
           (double)w->batch / series_median(&step), r->flops / series_median(&step) / 1e12, rounds);
    return 0;
}

int run_on_device(const struct workload *w, const struct settings *s)
{
    struct running r = {.loss = -1, .norm = -1};
    int rc = w->run == run_sampling ? open_sampling(&r, w, s) : open_training(&r, w, s);

    if (rc == 0)
        rc = measure(&r, w) < 0 ? -1 : 0; /* warm */
    if (rc == 0) {
        print_facts(&r, w);
        rc = s->serves ? serve(&r, w) : time_rounds(&r, w, s->rounds);
    }
    if (rc < 0)
        bench_failed(w);
    maskdm_sampler_release(&r.sampler);
    bench_close(&r.b);
    free(r.pixels);
    return rc < 0;
}
