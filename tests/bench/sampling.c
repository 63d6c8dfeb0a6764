/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sampling: DDIM steps against their forward products, and the first image of a model that lies on the disk against
 * reading the file and one forward pass.
 */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 4 };

int open_sampler(maskdm_sampler **out, maskdm_model *model, int steps, int64_t batch)
{
    maskdm_options *o = NULL;
    int rc;

    *out = NULL;
    if ((rc = make_options(&o, "sampler", "sampler=ddim")) == 0 &&
        (rc = maskdm_options_set_int(o, "steps", steps)) == 0 &&
        (rc = maskdm_options_set_int(o, "batch_size", batch)) == 0)
        rc = maskdm_sampler_create(out, model, MASKDM_WEIGHTS_EMA, o, NULL);
    maskdm_options_release(&o);
    return rc;
}

double time_images(maskdm_sampler *sampler, int64_t count, unsigned char *pixels)
{
    double start = clock_seconds();

    if (maskdm_sampler_run(sampler, count, NULL, NULL, MASKDM_SAMPLE_U8, pixels, 0, 0) < 0)
        return -1;
    return clock_seconds() - start;
}

int run_sampling(const struct workload *w, const struct settings *s)
{
    const int64_t patches = w->side / 4 * (w->side / 4);
    unsigned char *pixels = calloc((size_t)w->batch, (size_t)(w->side * w->side * 3));
    struct series step = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    maskdm_sampler *sampler = NULL;
    struct floor *f = NULL;
    struct products l;
    struct bench b;
    int rc = bench_open_model(&b, w, s, s->threads);

    list_products(&l, w, patches, 0);
    if (rc == 0 && (rc = open_sampler(&sampler, b.model, STEPS, w->batch)) == 0 &&
        (rc = floor_open(&f, s)) == 0)
        rc = !pixels || time_images(sampler, w->batch, pixels) < 0 ? -1 : 0;
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        double floor, t;

        rates_add(&rates, s);
        floor = floor_seconds(f, &l);
        t = time_images(sampler, w->batch, pixels) / STEPS;
        rc = t < 0 ? -1 : 0;
        series_add(&step, t);
        series_add(&ratio, floor / t);
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "step_ms=%.1f gflops=%.1f peak_mib=%.0f batch=%ld",
                   1e3 * series_median(&step), products_flops(&l) / series_median(&step) / 1e9,
                   (double)maskdm_device_memory_peak(b.dev) / 1048576, (long)w->batch);
    maskdm_sampler_release(&sampler);
    floor_close(&f);
    bench_close(&b);
    free(pixels);
    return rc < 0;
}

static double time_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    double start = clock_seconds();
    size_t size = 1 << 20, n;
    char *memory = malloc(size);

    *bytes = 0;
    while (file && memory && (n = fread(memory, 1, size, file)) > 0)
        *bytes += n;
    if (file)
        fclose(file);
    free(memory);
    return *bytes ? clock_seconds() - start : -1;
}

static double time_first_image(const char *path, const struct settings *s, unsigned char *pixels)
{
    double start = clock_seconds(), t = -1;
    maskdm_sampler *sampler = NULL;
    maskdm_model *model = NULL;
    maskdm_device *dev = NULL;

    if (open_device(&dev, s, s->threads) == 0 && maskdm_model_load(&model, dev, path) == 0 &&
        open_sampler(&sampler, model, 1, 1) == 0 && time_images(sampler, 1, pixels) >= 0)
        t = clock_seconds() - start;
    maskdm_sampler_release(&sampler);
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
    return t;
}

/* ratio: the first image, from opening the device on, over reading the file and one more step of a warm sampler. */
int run_loading(const struct workload *w, const struct settings *s)
{
    unsigned char *pixels = malloc((size_t)(w->side * w->side * 3));
    struct series first = {.n = 0}, reading = {.n = 0}, forward = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    char path[] = "/tmp/step_bench_XXXXXX";
    int made = mkstemp(path);
    maskdm_sampler *sampler = NULL;
    struct bench b;
    size_t bytes = 0;
    int rc = bench_open_model(&b, w, s, s->threads);

    if (rc == 0)
        rc = made < 0 || !pixels ? -1 : maskdm_model_save(b.model, path);
    if (rc == 0 && (rc = open_sampler(&sampler, b.model, 1, 1)) == 0)
        rc = time_images(sampler, 1, pixels) < 0 ? -1 : 0;
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        rates_add(&rates, s);
        series_add(&reading, time_read(path, &bytes));
        series_add(&forward, time_images(sampler, 1, pixels));
        series_add(&first, time_first_image(path, s, pixels));
        rc = reading.x[r] < 0 || forward.x[r] < 0 || first.x[r] < 0 ? -1 : 0;
        series_add(&ratio, first.x[r] / (reading.x[r] + forward.x[r]));
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "first_image_ms=%.1f read_ms=%.1f forward_ms=%.1f file_mib=%.0f",
                   1e3 * series_median(&first), 1e3 * series_median(&reading), 1e3 * series_median(&forward),
                   (double)bytes / 1048576);
    maskdm_sampler_release(&sampler);
    bench_close(&b);
    if (made >= 0)
        close(made), unlink(path);
    free(pixels);
    return rc < 0;
}
