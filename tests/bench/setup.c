/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A device, a model and a trainer on images in memory, as a workload asks for them.
 */
#include "bench.h"

#include "backend/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int make_options(maskdm_options **out, const char *kind, const char *text)
{
    int rc = maskdm_options_create(out, kind);
    return rc < 0 ? rc : maskdm_options_parse(*out, text);
}

int bench_failed(const struct workload *w)
{
    fprintf(stderr, "%s: %s\n", w->label, maskdm_last_error());
    return 1;
}

void bench_close(struct bench *b)
{
    maskdm_trainer_release(&b->trainer);
    maskdm_data_release(&b->data);
    maskdm_optimizer_release(&b->optimizer);
    maskdm_mask_release(&b->mask);
    maskdm_model_release(&b->model);
    maskdm_scheduler_release(&b->scheduler);
    maskdm_device_release(&b->dev);
    free(b->pixels);
    memset(b, 0, sizeof *b);
}

int is_cpu(const struct settings *s)
{
    return strcmp(s->device, "cpu") == 0;
}

int open_device(maskdm_device **out, const struct settings *s, int threads)
{
    maskdm_options *device = NULL;
    int rc;

    *out = NULL;
    if ((rc = maskdm_options_create(&device, "device")) == 0 &&
        (rc = is_cpu(s) ? maskdm_options_set(device, "instruction_set", s->instruction_set) : 0) == 0 &&
        (rc = maskdm_options_parse(device, s->options)) == 0 &&
        (rc = maskdm_options_set_int(device, "threads", threads)) == 0)
        rc = maskdm_device_open(out, s->device, device);
    maskdm_options_release(&device);
    return rc;
}

int bench_open_model(struct bench *b, const struct workload *w, const struct settings *s, int threads)
{
    maskdm_options *network = NULL;
    char name[16];
    int rc;

    memset(b, 0, sizeof *b);
    if ((rc = open_device(&b->dev, s, threads)) == 0 && (rc = make_options(&network, "network", w->network)) == 0 &&
        (rc = maskdm_options_get(network, "network", name, sizeof name, NULL)) >= 0 &&
        (rc = maskdm_scheduler_create(&b->scheduler, NULL)) == 0)
        rc = maskdm_model_create(&b->model, b->dev, name, network, b->scheduler, 1);
    maskdm_options_release(&network);
    return rc == 0 && s->export ? export_weights(b->model) : rc;
}

static int open_trainer(struct bench *b, const struct workload *w)
{
    maskdm_options *mask = NULL, *trainer = NULL;
    int rc;

    if ((rc = make_options(&mask, "mask", w->mask)) == 0 && (rc = maskdm_options_create(&trainer, "trainer")) == 0 &&
        (rc = maskdm_options_set_int(trainer, "batch_size", w->batch)) == 0 &&
        (rc = maskdm_mask_create(&b->mask, mask)) == 0 &&
        (rc = maskdm_optimizer_create(&b->optimizer, NULL, NULL)) == 0 &&
        (rc = maskdm_data_create_memory(&b->data, b->dev, w->batch, w->side, w->side, 3, MASKDM_SAMPLE_U8, b->pixels,
                                        0, 0, NULL, NULL, NULL)) == 0)
        rc = maskdm_trainer_create(&b->trainer, b->model, b->mask, b->optimizer, trainer, NULL);
    maskdm_options_release(&mask);
    maskdm_options_release(&trainer);
    return rc;
}

int bench_open(struct bench *b, const struct workload *w, const struct settings *s, int threads)
{
    size_t bytes = (size_t)(w->batch * w->side * w->side * 3);
    int rc = bench_open_model(b, w, s, threads);

    if (rc < 0)
        return rc;
    b->pixels = malloc(bytes);
    if (!b->pixels)
        return MASKDM_ENOMEM;
    for (size_t i = 0; i < bytes; i++)
        b->pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    return open_trainer(b, w);
}

int open_folder(maskdm_data **out, maskdm_device *device, const char *path, int64_t side, const char *options)
{
    maskdm_options *folder = NULL;
    const double size = (double)side;
    int rc;

    if ((rc = make_options(&folder, "folder", options)) == 0 &&
        (rc = maskdm_options_set_list(folder, "image_size", &size, 1)) == 0)
        rc = maskdm_data_open_folder(out, device, path, folder, NULL);
    maskdm_options_release(&folder);
    return rc;
}

int bench_wait(struct bench *b)
{
    struct mdm_backend *backend = mdm_device_backend(b->dev);

    return backend->v->wait(backend);
}

double bench_step(struct bench *b)
{
    double start = clock_seconds(), now;
    int steps = 0;

    do {
        if (maskdm_trainer_step(b->trainer, b->data) < 0)
            return -1;
        steps++;
        now = clock_seconds();
    } while (now - start < 0.5);
    return bench_wait(b) < 0 ? -1 : (clock_seconds() - start) / steps;
}
