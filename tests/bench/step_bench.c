/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One line per workload: what the library costs beside what arithmetic or memory ask for.
 *
 *     step_bench [--threads N] [--rounds N] [--instruction-set NAME] [--images FOLDER] [--device NAME]
 *                [--options "A=B ..."] [--serve] [--profile | --export FILE] [LABEL ...]
 *
 * A label takes those with one more letter along: C5 is C5a, C5b and C5c. Without labels: C1 and C2. Parts are
 * interleaved within a round (floor, step, floor, step ...), and `ratio` is the median of the rounds' quotients.
 * Of training workloads --profile prints where a step goes instead, and --export writes what torch_peer.py
 * needs. --images: JPEGs for C11, which else makes PNGs. On another device than the processor, with --options of its
 * own, workloads of training and sampling have no floor; G1 to G5 are meant for a GPU, and cuda.py runs them. --serve
 * takes one label, tells of it, and measures anew for every line of stdin.
 */
#include "bench.h"

#include "backend/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TINY "image_size=16 patch_size=4 dim=64 depth=3 heads=1"
#define SMALL "image_size=64 patch_size=4 dim=512 depth=13 heads=8"
#define LARGE "image_size=256 patch_size=4 dim=768 depth=13 heads=12"
#define JIT "network=jit image_size=64 patch_size=4 dim=512 depth=12 heads=8 bottleneck=32 in_context_len=16"
#define DIT "network=dit image_size=64 patch_size=4 dim=512 depth=12 heads=8"
#define SIT "network=sit image_size=64 patch_size=4 dim=512 depth=12 heads=8"
#define UNET                                                                                                         \
    "network=unet image_size=32 block_out_channels=128,256,256,256 attention_head_dim=0 "                            \
    "down_block_types=DownBlock2D,AttnDownBlock2D,DownBlock2D,DownBlock2D "                                          \
    "up_block_types=UpBlock2D,UpBlock2D,AttnUpBlock2D,UpBlock2D"
#define ALL "type=none"
#define FEW "type=block ratio=0.9 block_size=2"
#define TENTH "type=block ratio=0.9 block_size=4"
#define QUARTER "type=block ratio=0.75 block_size=4"

static const struct workload workloads[] = {
    {"T0", run_training, TINY, ALL, 16, 64, 3, 4, "a tiny network, to see that this program runs"},
    {"T1", run_sampling, TINY, NULL, 16, 64, 3, 1, "the same, sampling"},
    {"C1", run_training, SMALL, ALL, 64, 512, 13, 16, "train D=512 64x64, nothing hidden"},
    {"C2", run_training, SMALL, FEW, 64, 512, 13, 64, "train D=512 64x64, 2x2 blocks, 90 % hidden"},
    {"C3", run_training, SMALL, FEW, 64, 512, 13, 8, "train D=512 64x64, 2x2 blocks, 90 % hidden, small batch"},
    {"C4", run_training, LARGE, QUARTER, 256, 768, 13, 2, "train D=768 256x256, 4x4 blocks, 75 % hidden"},
    {"C5a", run_attention, NULL, NULL, 257, 512, 0, 16, "attention forward and backward, N=257"},
    {"C5b", run_attention, NULL, NULL, 1025, 768, 0, 2, "attention forward and backward, N=1025"},
    {"C5c", run_attention, NULL, NULL, 4097, 768, 0, 1, "attention forward and backward, N=4097"},
    {"C6a", run_speedup, SMALL, "type=block ratio=0.5 block_size=2", 64, 512, 13, 32, "speed-up at 50 % hidden"},
    {"C6b", run_speedup, SMALL, "type=block ratio=0.75 block_size=2", 64, 512, 13, 63, "speed-up at 75 % hidden"},
    {"C6c", run_speedup, SMALL, FEW, 64, 512, 13, 142, "speed-up at 90 % hidden"},
    {"C7", run_sampling, SMALL, NULL, 64, 512, 13, 8, "sample D=512 64x64, DDIM"},
    {"C8a", run_threads, SMALL, ALL, 64, 512, 13, 16, "C1 on more threads than one"},
    {"C8b", run_threads, SMALL, FEW, 64, 512, 13, 64, "C2 on more threads than one"},
    {"C9a", run_memory, SMALL, ALL, 64, 512, 13, 16, "peak memory of C1"},
    {"C9b", run_memory, SMALL, FEW, 64, 512, 13, 64, "peak memory of C2"},
    {"C9c", run_memory, LARGE, QUARTER, 256, 768, 13, 2, "peak memory of C4"},
    {"C10", run_loading, SMALL, NULL, 64, 512, 13, 1, "load a model and draw its first image, one step"},
    {"C11", run_loader, SMALL, FEW, 64, 512, 13, 64, "share of C2's step spent waiting for images"},
    {"C12a", run_convolution, NULL, NULL, 32, 64, 0, 16, "3x3 convolution forward and backward, 64 channels"},
    {"C12b", run_convolution, NULL, NULL, 16, 128, 0, 16, "3x3 convolution forward and backward, 128 channels"},
    {"C12c", run_convolution, NULL, NULL, 8, 256, 0, 16, "3x3 convolution forward and backward, 256 channels"},
    {"C13a", run_training, JIT, ALL, 64, 512, 12, 16, "train JiT D=512 64x64, nothing hidden"},
    {"C13b", run_training, JIT, FEW, 64, 512, 12, 64, "train JiT D=512 64x64, 2x2 blocks, 90 % hidden"},
    {"G1", run_training, SMALL, ALL, 64, 512, 13, 256, "train D=512 64x64, nothing hidden"},
    {"G2", run_training, SMALL, FEW, 64, 512, 13, 512, "train D=512 64x64, 2x2 blocks, 90 % hidden"},
    {"G3", run_training, LARGE, ALL, 256, 768, 13, 16, "train D=768 256x256, nothing hidden"},
    {"G4", run_training, LARGE, TENTH, 256, 768, 13, 128, "train D=768 256x256, 4x4 blocks, 90 % hidden"},
    {"G5", run_sampling, SMALL, NULL, 64, 512, 13, 1, "sample D=512 64x64, DDIM, 20 evaluations"},
    {"C14", run_training, UNET, ALL, 32, 128, 0, 4, "train the U-Net of google/ddpm-cifar10-32"},
    {"C15", run_training, DIT, ALL, 64, 512, 12, 16, "train DiT D=512 64x64, nothing hidden"},
    {"C16", run_training, SIT, ALL, 64, 512, 12, 16, "train SiT D=512 64x64, nothing hidden"},
    {"C18", run_packed, SMALL, NULL, 64, 0, 0, 0, "images of a packed file beside pread of their bytes"},
    {"C18a", run_packed, SMALL, NULL, 32, 0, 0, 0, "the same of 32x32"},
};

static int is_wanted(const char *label, const char *asked)
{
    size_t n = strlen(asked);

    return strncmp(label, asked, n) == 0 && (!label[n] || (label[n] >= 'a' && label[n] <= 'z' && !label[n + 1]));
}

static int usage(void)
{
    fprintf(stderr,
            "usage: step_bench [--threads 1..%d] [--rounds 1..%d] [--instruction-set NAME] [--images FOLDER] "
            "[--device NAME] [--options TEXT] [--serve] [--profile | --export FILE] [LABEL ...]\n",
            MAX_THREADS, MAX_ROUNDS);
    return 2;
}

/* Flags into *s; the place of the first label, or 0. */
static int read_flags(int argc, char **argv, struct settings *s, int *profile)
{
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--profile") == 0)
            *profile = 1;
        else if (strcmp(argv[at], "--serve") == 0)
            s->serves = 1;
        else if (at + 1 == argc)
            return 0;
        else if (strcmp(argv[at], "--threads") == 0)
            s->threads = atoi(argv[++at]);
        else if (strcmp(argv[at], "--rounds") == 0)
            s->rounds = atoi(argv[++at]);
        else if (strcmp(argv[at], "--instruction-set") == 0)
            s->instruction_set = argv[++at];
        else if (strcmp(argv[at], "--images") == 0)
            s->images = argv[++at];
        else if (strcmp(argv[at], "--export") == 0)
            s->export = argv[++at];
        else if (strcmp(argv[at], "--device") == 0)
            s->device = argv[++at];
        else if (strcmp(argv[at], "--options") == 0)
            s->options = argv[++at];
        else
            return 0;
    }
    return s->threads < 1 || s->threads > MAX_THREADS || s->rounds < 1 || s->rounds > MAX_ROUNDS ? 0 : at;
}

/* The name of the set that is asked for, or that the library takes here; 0, or 1 after a line on stderr. */
static int find_set(struct settings *s)
{
    const struct mdm_cpu_set *set, *slower;

    if (mdm_cpu_find(&set, &slower, s->instruction_set ? s->instruction_set : "auto") < 0)
        return fprintf(stderr, "step_bench: %s\n", maskdm_last_error()), 1;
    s->instruction_set = set->name;
    return 0;
}

static int run(const struct workload *w, const struct settings *s, int profile)
{
    if (profile)
        return run_profile(w, s);
    if (s->serves || !is_cpu(s))
        return run_on_device(w, s);
    return s->export ? run_export(w, s) : w->run(w, s);
}

/* Whether a workload can be run as the flags say. */
static int takes(const struct workload *w, const struct settings *s, int profile)
{
    if (profile || (s->export && !s->serves))
        return w->run == run_training;
    return (!s->serves && is_cpu(s)) || w->run == run_training || w->run == run_sampling;
}

int main(int argc, char **argv)
{
    static const char *const standard[] = {"C1", "C2"};
    struct settings s = {.threads = 2, .rounds = 5, .device = "cpu", .options = ""};
    int profile = 0, status = 0, found = 0, at = read_flags(argc, argv, &s, &profile);
    const char *const *asked = at < argc ? (const char *const *)argv + at : standard;
    int count = at < argc ? argc - at : 2;

    if (!at)
        return usage();
    if (find_set(&s))
        return 1;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        const struct workload *w = &workloads[i];
        int wanted = 0;

        for (int k = 0; k < count; k++)
            wanted |= is_wanted(w->label, asked[k]);
        if (!wanted || !takes(w, &s, profile))
            continue;
        found++;
        status |= run(w, &s, profile);
    }
    if (!found)
        fprintf(stderr, "step_bench: no workload of that label\n");
    return found ? status : 2;
}
