/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One line per workload: what a step costs beside the matrix products that it needs.
 *
 *     step_bench [--threads N] [--rounds N] [LABEL ...]
 *
 * Rounds are interleaved (floor, step, floor, step ...), and `ratio` is the median of the rounds' floor over step.
 */
#include "floor.h"

#include <maskdm/maskdm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 64 };

struct workload {
    const char *label, *network, *mask, *trainer, *what;
    int64_t side, dim, batch;
};

#define SMALL "image_size=64 patch_size=4 dim=512 depth=13 heads=8"
#define LARGE "image_size=256 patch_size=4 dim=768 depth=13 heads=12"

static const struct workload workloads[] = {
    {"C1", SMALL, "type=none", "batch_size=16", "D=512 64x64, nothing hidden", 64, 512, 16},
    {"C2", SMALL, "type=block ratio=0.9 block_size=2", "batch_size=64", "D=512 64x64, 2x2 blocks 90 %", 64, 512, 64},
    {"C3", SMALL, "type=block ratio=0.9 block_size=2", "batch_size=8", "D=512 64x64, 2x2 blocks 90 %", 64, 512, 8},
    {"C4", LARGE, "type=block ratio=0.75 block_size=4", "batch_size=2", "D=768 256x256, 4x4 blocks 75 %", 256, 768,
     2},
};

struct bench {
    maskdm_device *dev;
    maskdm_options *network, *mask_options, *trainer_options;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_data *data;
    maskdm_trainer *trainer;
    unsigned char *pixels;
};

static int options(maskdm_options **out, const char *kind, const char *text)
{
    int rc = maskdm_options_create(out, kind);
    return rc < 0 ? rc : maskdm_options_parse(*out, text);
}

static void bench_close(struct bench *b)
{
    maskdm_trainer_release(&b->trainer);
    maskdm_data_release(&b->data);
    maskdm_optimizer_release(&b->optimizer);
    maskdm_mask_release(&b->mask);
    maskdm_model_release(&b->model);
    maskdm_scheduler_release(&b->scheduler);
    maskdm_options_release(&b->network);
    maskdm_options_release(&b->mask_options);
    maskdm_options_release(&b->trainer_options);
    maskdm_device_release(&b->dev);
    free(b->pixels);
}

static int bench_open(struct bench *b, const struct workload *w, int threads)
{
    size_t bytes = (size_t)(w->batch * w->side * w->side * 3);
    maskdm_options *device = NULL;
    int rc;

    memset(b, 0, sizeof *b);
    b->pixels = malloc(bytes);
    if (!b->pixels)
        return MASKDM_ENOMEM;
    for (size_t i = 0; i < bytes; i++)
        b->pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    if ((rc = maskdm_options_create(&device, "device")) == 0 &&
        (rc = maskdm_options_set_int(device, "threads", threads)) == 0 &&
        (rc = maskdm_device_open(&b->dev, "cpu", device)) == 0 &&
        (rc = options(&b->network, "uvit", w->network)) == 0 &&
        (rc = options(&b->mask_options, "mask", w->mask)) == 0 &&
        (rc = options(&b->trainer_options, "trainer", w->trainer)) == 0 &&
        (rc = maskdm_scheduler_create(&b->scheduler, NULL)) == 0 &&
        (rc = maskdm_model_create(&b->model, b->dev, "uvit", b->network, b->scheduler, 1)) == 0 &&
        (rc = maskdm_mask_create(&b->mask, b->mask_options)) == 0 &&
        (rc = maskdm_optimizer_create(&b->optimizer, NULL, NULL)) == 0 &&
        (rc = maskdm_data_create_memory(&b->data, b->dev, w->batch, w->side, w->side, 3, MASKDM_SAMPLE_U8, b->pixels,
                                        0, 0, NULL)) == 0)
        rc = maskdm_trainer_create(&b->trainer, b->model, b->mask, b->optimizer, b->trainer_options, NULL);
    maskdm_options_release(&device);
    return rc;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static int run(const struct workload *w, int threads, int rounds)
{
    double step[MAX_ROUNDS], floor[MAX_ROUNDS], ratio[MAX_ROUNDS], flops = 0, low, high, t;
    struct network n = {w->dim, 13, 6, w->dim / 64, 0, 0, 48, w->batch};
    struct bench b;
    int rc = bench_open(&b, w, threads);

    for (int r = -1; rc == 0 && r < rounds; r++) { /* round -1 warms up */
        int at = r < 0 ? 0 : r;
        n.visible = maskdm_trainer_visible(b.trainer);
        n.tokens = n.visible + 1;
        floor[at] = floor_seconds(&n, 1, threads, &flops);
        t = clock_seconds();
        rc = maskdm_trainer_step(b.trainer, b.data);
        step[at] = clock_seconds() - t;
        ratio[at] = floor[at] / step[at];
    }
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", w->label, maskdm_last_error());
        bench_close(&b);
        return 1;
    }
    t = median(ratio, rounds);
    low = ratio[0], high = ratio[rounds - 1];
    printf("%s step_ms=%.1f images_per_s=%.2f floor_ms=%.1f ratio=%.3f ratio_min=%.3f ratio_max=%.3f gflops=%.1f "
           "fma_gflops=%.1f memory_gbs=%.1f peak_mib=%.0f threads=%d batch=%ld tokens=%ld what=\"%s\"\n",
           w->label, 1e3 * median(step, rounds), (double)w->batch / median(step, rounds), 1e3 * median(floor, rounds),
           t, low, high, flops / median(step, rounds) / 1e9, machine_fma(threads), machine_bandwidth(threads),
           (double)maskdm_device_memory_peak(b.dev) / 1048576, threads, (long)w->batch, (long)n.tokens, w->what);
    fflush(stdout);
    bench_close(&b);
    return 0;
}

int main(int argc, char **argv)
{
    int threads = 2, rounds = 5, first = 1, status = 0, found = 0;

    for (; first + 1 < argc && argv[first][0] == '-'; first += 2)
        if (strcmp(argv[first], "--threads") == 0)
            threads = atoi(argv[first + 1]);
        else if (strcmp(argv[first], "--rounds") == 0)
            rounds = atoi(argv[first + 1]);
    if (threads < 1 || threads > 64 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: step_bench [--threads 1..64] [--rounds 1..%d] [LABEL ...]\n", MAX_ROUNDS);
        return 2;
    }
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        int wanted = first >= argc && i < 2;
        for (int k = first; k < argc; k++)
            wanted |= strcmp(argv[k], workloads[i].label) == 0;
        if (wanted)
            found++, status |= run(&workloads[i], threads, rounds);
    }
    if (!found)
        fprintf(stderr, "step_bench: no workload of that label\n");
    return found ? status : 2;
}
