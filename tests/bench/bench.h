/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the workloads of step_bench share: how often and on what they run, a trainer or model made for them, figures
 * over rounds, and the line that is printed.
 *
 * Every line has `ratio=`, the median over interleaved rounds, beside the rates that the machine gave in those
 * rounds and the instruction set that they and the library's kernels are of.
 */
#ifndef MASKDM_BENCH_BENCH_H
#define MASKDM_BENCH_BENCH_H

#include <maskdm/maskdm.h>

#include <stdint.h>

enum { MAX_ROUNDS = 64, MAX_THREADS = 64 };

struct settings {
    int threads, rounds;
    const char *images;  /* folder for the loader; NULL: one is made */
    const char *export;  /* file to write */
    const char *device;  /* its name */
    const char *options; /* of it, beside threads */
    const char *instruction_set; /* of the processor: its name, never "auto" */
    int serves;          /* a measurement for every line of stdin */
};

struct workload {
    const char *label;
    int (*run)(const struct workload *w, const struct settings *s); /* 0, or 1 after a line on stderr */
    const char *network, *mask;       /* options; network=NAME in front where it is no U-ViT */
    int64_t side, dim, blocks, batch; /* the same as numbers; heads are 64 wide */
    const char *what;
};

int run_training(const struct workload *w, const struct settings *s);
int run_attention(const struct workload *w, const struct settings *s);
int run_convolution(const struct workload *w, const struct settings *s);
int run_speedup(const struct workload *w, const struct settings *s);
int run_sampling(const struct workload *w, const struct settings *s);
int run_threads(const struct workload *w, const struct settings *s);
int run_memory(const struct workload *w, const struct settings *s);
int run_loading(const struct workload *w, const struct settings *s);
int run_loader(const struct workload *w, const struct settings *s);
int run_packed(const struct workload *w, const struct settings *s);
/* Of a training or sampling workload on any device, without a floor, by itself or beside a peer. */
int run_on_device(const struct workload *w, const struct settings *s);
/* Not a figure but a table: where a step of a training workload goes. */
int run_profile(const struct workload *w, const struct settings *s);
/* Weights, a batch and its loss for a peer, into s->export. */
int run_export(const struct workload *w, const struct settings *s);

/* ---- setup.c ---- */
struct bench {
    maskdm_device *dev;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_data *data;
    maskdm_trainer *trainer;
    unsigned char *pixels;
};

int make_options(maskdm_options **out, const char *kind, const char *text);
int is_cpu(const struct settings *s);
int open_device(maskdm_device **out, const struct settings *s, int threads);
/* Device and model; then data in memory and a trainer. Close after a failure too. */
int bench_open_model(struct bench *b, const struct workload *w, const struct settings *s, int threads);
int bench_open(struct bench *b, const struct workload *w, const struct settings *s, int threads);
void bench_close(struct bench *b);
/* Images of one side from a path. */
int open_folder(maskdm_data **out, maskdm_device *device, const char *path, int64_t side, const char *options);
/* Seconds of one step with all its work done, the mean over as many as fill about half a second; negative after a
 * failure. */
double bench_step(struct bench *b);
int bench_wait(struct bench *b);
/* Say what failed; always 1. */
int bench_failed(const struct workload *w);

/* ---- export.c ---- */
/* Weights that begin as zero hide what lies behind them: a peer would agree with whatever it has there. */
int export_weights(const maskdm_model *model);
/* The batch that a trainer has drawn, with its loss. */
int export_batch(const struct bench *b, const struct workload *w, const char *path, double *loss);
/* Images for a sampler's model, with the mean square of what it makes of them in the place of a loss. */
int export_prediction(const struct bench *b, const struct workload *w, const char *path, double *loss);

/* ---- sampling.c ---- */
int open_sampler(maskdm_sampler **out, maskdm_model *model, int steps, int64_t batch);
/* Seconds of so many images; negative after a failure. */
double time_images(maskdm_sampler *sampler, int64_t count, unsigned char *pixels);

/* ---- machine.c ---- */
double clock_seconds(void);
/* GFLOP/s in registers, with vectors of the instruction set */
double machine_fma(const char *instruction_set, int threads);
double machine_bandwidth(int threads); /* GB/s, the better of a triad and an update in place */

/* ---- figures.c ---- */
struct series {
    double x[MAX_ROUNDS];
    int n;
};

struct rates {
    struct series fma, memory;
};

void series_add(struct series *s, double x);
double series_median(const struct series *s);
void rates_add(struct rates *r, const struct settings *s);
/* LABEL <text> ratio=.. ratio_min=.. ratio_max=.. and the rates */
void print_line(const struct workload *w, const struct settings *s, const struct series *ratio, const struct rates *r,
                const char *format, ...);

#endif
