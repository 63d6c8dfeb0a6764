/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A packed file: its images taken in the order of an epoch, beside a bare pread of the same bytes in the same order.
 * The file is in memory, so that what is measured is the library and no disk.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 4096, CHANNELS = 3, HEAD = 128, TIMES = 5 };

struct packed {
    char folder[64], array[96], file[96];
    maskdm_device *device;
    maskdm_data *data, *memory;
    int64_t side, *order;
    size_t one;
    int fd;
    off_t first; /* byte of the first image */
    float *image;
    unsigned char *bytes, *all;
};

/* All images as an array of NumPy's. */
static int write_array(struct packed *p)
{
    char head[HEAD + 1];
    uint32_t x = 1;
    FILE *f = fopen(p->array, "wb");
    int n = snprintf(head, sizeof head, "%s", "\x93NUMPY\1"), failed = !f;

    memset(head + n, ' ', HEAD - (size_t)n);
    head[7] = 0;
    head[8] = HEAD - 10;
    head[9] = 0;
    n = snprintf(head + 10, HEAD - 10, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %ld, %ld, %d), }",
                 IMAGES, (long)p->side, (long)p->side, CHANNELS);
    head[10 + n] = ' ';
    head[HEAD - 1] = '\n';
    failed = failed || fwrite(head, 1, HEAD, f) != HEAD;
    for (int i = 0; i < IMAGES && !failed; i++) {
        unsigned char *image = p->all + (size_t)i * p->one;

        for (size_t k = 0; k < p->one; k++)
            image[k] = (unsigned char)((x = x * 1664525u + 1013904223u) >> 24);
        failed = fwrite(image, 1, p->one, f) != p->one;
    }
    if (f && fclose(f))
        failed = 1;
    return failed ? -1 : 0;
}

static int pack(const struct packed *p)
{
    maskdm_options *o = NULL;
    int rc = make_options(&o, "pack", "");

    if (rc == 0 && (rc = maskdm_options_set(o, "data", p->array)) == 0 &&
        (rc = maskdm_options_set(o, "out", p->file)) == 0)
        rc = maskdm_pack(o, NULL);
    maskdm_options_release(&o);
    return rc;
}

static int open_packed(struct packed *p)
{
    unsigned char length[8];
    int rc = open_folder(&p->data, p->device, p->file, p->side, "");

    if (rc == 0)
        rc = maskdm_data_create_memory(&p->memory, p->device, IMAGES, p->side, p->side, CHANNELS, MASKDM_SAMPLE_U8,
                                       p->all, 0, 0, NULL, NULL, NULL);
    p->fd = open(p->file, O_RDONLY);
    if (rc == 0 && (p->fd < 0 || pread(p->fd, length, sizeof length, 0) != sizeof length))
        rc = -1;
    p->first = 8 + length[0] + 256 * length[1];
    for (int64_t i = 0; i < IMAGES; i++)
        p->order[i] = i * 1597 % IMAGES; /* odd, so that each comes once */
    return rc;
}

/* Seconds for all images, the least of a few times: from the file, from memory, and their bytes by the bare call. */
struct times {
    double file, memory, bare;
};

static int time_data(struct packed *p, maskdm_data *data, double *least)
{
    double t = clock_seconds();
    int rc = 0;

    for (int64_t i = 0; i < IMAGES && rc == 0; i++)
        rc = maskdm_data_get(data, p->order[i], p->image, NULL);
    t = clock_seconds() - t;
    *least = t < *least ? t : *least;
    return rc;
}

static int time_bare(struct packed *p, double *least)
{
    double t = clock_seconds();
    int rc = 0;

    for (int64_t i = 0; i < IMAGES && rc == 0; i++)
        if (pread(p->fd, p->bytes, p->one, p->first + (off_t)((size_t)p->order[i] * p->one)) != (ssize_t)p->one)
            rc = -1;
    t = clock_seconds() - t;
    *least = t < *least ? t : *least;
    return rc;
}

static int time_all(struct packed *p, struct times *t)
{
    int rc = 0;

    *t = (struct times){1e9, 1e9, 1e9};
    for (int i = 0; i < TIMES && rc == 0; i++)
        if ((rc = time_data(p, p->data, &t->file)) == 0 && (rc = time_data(p, p->memory, &t->memory)) == 0)
            rc = time_bare(p, &t->bare);
    return rc;
}

static int prepare(struct packed *p, const struct workload *w, const struct settings *s)
{
    int rc = open_device(&p->device, s, s->threads);

    p->side = w->side;
    p->one = (size_t)(p->side * p->side) * CHANNELS;
    p->order = calloc(IMAGES, sizeof *p->order);
    p->image = calloc(p->one, sizeof *p->image);
    p->bytes = calloc(p->one, 1);
    p->all = calloc(IMAGES, p->one);
    strcpy(p->folder, "/tmp/step_bench_XXXXXX");
    if (rc == 0 && (!p->order || !p->image || !p->bytes || !p->all || !mkdtemp(p->folder)))
        rc = -1;
    snprintf(p->array, sizeof p->array, "%s/x.npy", p->folder);
    snprintf(p->file, sizeof p->file, "%s/x.safetensors", p->folder);
    if (rc == 0 && (rc = write_array(p)) == 0 && (rc = pack(p)) == 0)
        rc = open_packed(p);
    return rc;
}

static void finish(struct packed *p)
{
    maskdm_data_release(&p->data);
    maskdm_data_release(&p->memory);
    maskdm_device_release(&p->device);
    if (p->fd >= 0)
        close(p->fd);
    unlink(p->array);
    unlink(p->file);
    rmdir(p->folder);
    free(p->order);
    free(p->image);
    free(p->bytes);
    free(p->all);
}

/* ratio: of a bare pread to what the file takes beyond images that are in memory, whose samples become floats as
 * well; whole: to all that it takes. */
int run_packed(const struct workload *w, const struct settings *s)
{
    struct series ratio = {.n = 0}, speed = {.n = 0}, whole = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};
    struct packed p = {.fd = -1};
    struct times t;
    int rc = prepare(&p, w, s);

    if (rc == 0)
        rc = time_all(&p, &t);
    for (int r = 0; rc == 0 && r < s->rounds; r++) {
        rates_add(&rates, s);
        rc = time_all(&p, &t);
        series_add(&speed, IMAGES * (double)p.one / t.file / 1e6);
        series_add(&whole, t.bare / t.file);
        series_add(&ratio, t.bare / (t.file > t.memory ? t.file - t.memory : 1e-9));
    }
    if (rc < 0)
        bench_failed(w);
    else
        print_line(w, s, &ratio, &rates, "mb_per_s=%.0f whole=%.3f images=%d side=%ld", series_median(&speed),
                   series_median(&whole), IMAGES, (long)p.side);
    finish(&p);
    return rc < 0;
}
