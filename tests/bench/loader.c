/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loader: the share of a training step that is spent waiting for images which are read and decoded anew each
 * time. The same batch is drawn from memory just before, so that what is left is the waiting alone.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 512, FILE_SIDE = 32, STEPS = 4 };

static int write_images(const char *folder)
{
    unsigned char pixels[FILE_SIDE * FILE_SIDE * 3];
    uint32_t x = 1;
    int rc = 0;

    for (int n = 0; n < FILES && rc == 0; n++) {
        maskdm_image *image = NULL;
        char path[256];

        for (size_t i = 0; i < sizeof pixels; i++) {
            x = x * 1664525u + 1013904223u;
            pixels[i] = (unsigned char)((i / 3 % FILE_SIDE + (size_t)n) * 4 + (x >> 28));
        }
        snprintf(path, sizeof path, "%s/%03d.png", folder, n);
        rc = maskdm_image_create(&image, FILE_SIDE, FILE_SIDE, 3, MASKDM_SAMPLE_U8, pixels, 0);
        if (rc == 0)
            rc = maskdm_image_write_png(image, path, 8);
        maskdm_image_release(&image);
    }
    return rc;
}

static void remove_images(const char *folder)
{
    char path[256];

    for (int n = 0; n < FILES; n++) {
        snprintf(path, sizeof path, "%s/%03d.png", folder, n);
        unlink(path);
    }
    rmdir(folder);
}

/* Seconds of STEPS steps over `data`, and those that drawing took beyond drawing from memory. */
static int time_steps(struct bench *b, maskdm_data *data, double *all, double *waiting)
{
    int rc = 0;

    *all = *waiting = 0;
    for (int i = 0; i < STEPS && rc == 0; i++) {
        double t[4], loss;

        t[0] = clock_seconds();
        rc = maskdm_trainer_draw(b->trainer, b->data, 0);
        t[1] = clock_seconds();
        if (rc == 0)
            rc = maskdm_trainer_draw(b->trainer, data, 0);
        t[2] = clock_seconds();
        if (rc == 0 && (rc = maskdm_trainer_forward(b->trainer)) == 0 &&
            (rc = maskdm_trainer_loss(b->trainer, &loss)) == 0 &&
            (rc = maskdm_trainer_backward(b->trainer, NULL)) == 0 && (rc = maskdm_optimizer_step(b->optimizer)) == 0)
            rc = maskdm_optimizer_update_ema(b->optimizer);
        t[3] = clock_seconds();
        *all += t[3] - t[1];
        *waiting += t[2] - t[1] - (t[1] - t[0]);
    }
    return rc;
}

/* ratio: the share spent waiting. */
int run_loader(const struct workload *w, const struct settings *s)
{
    struct series ratio = {.n = 0}, wait_ms = {.n = 0}, step = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    char made[] = "/tmp/step_bench_XXXXXX";
    const char *folder = s->images ? s->images : mkdtemp(made);
    maskdm_data *data = NULL;
    struct bench b;
    double all, waiting;
    long files = 0;
    int rc = bench_open(&b, w, s, s->threads);

    if (rc == 0)
        rc = !folder ? -1 : s->images ? 0 : write_images(folder);
    if (rc == 0 && (rc = open_folder(&data, b.dev, folder, w->side, "cache_limit=0")) == 0)
        rc = time_steps(&b, data, &all, &waiting);
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        rates_add(&rates, s);
        rc = time_steps(&b, data, &all, &waiting);
        series_add(&step, all / STEPS);
        series_add(&wait_ms, 1e3 * waiting / STEPS);
        series_add(&ratio, waiting / all);
        files = (long)maskdm_data_count(data);
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "step_ms=%.1f waiting_ms=%.2f files=%ld batch=%ld",
                   1e3 * series_median(&step), series_median(&wait_ms), files, (long)w->batch);
    maskdm_data_release(&data);
    bench_close(&b);
    if (folder && !s->images)
        remove_images(folder);
    return rc < 0;
}
