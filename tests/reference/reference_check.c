/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reference_check [--device NAME] [--threads N] [--compute TYPE] [--options "A=B ..."] PATH...: run every case below
 * the paths that a program of the field wrote, and hold the library to it. One line a case: name, worst relative
 * error, verdict. Without a path, the folders that MASKDM_REFERENCE names, apart by colons; without that, exit status
 * 77. --compute: float32, tf32 or bfloat16, on a device that has them; the bounds of networks follow (case.h).
 * --options: what else there is to say of a device.
 */
#include "case.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct totals {
    maskdm_device *device;
    int elsewhere;       /* the device is not the CPU */
    double coarse, muon; /* bounds of what networks computed, and Muon; 0: those of float */
    int passed, failed, skipped;
};

static const struct {
    const char *name;
    void (*run)(struct reference_case *c);
    int any;     /* of any program, which the case names; else of the authors' alone, which it does not */
    int network; /* runs one, in the device's type */
} kinds[] = {{"schedule", case_schedule, 1, 0},
             {"loss", case_loss, 0, 1},
             {"train", case_train, 0, 1},
             {"sample", case_sample, 0, 1},
             {"checkpoint", case_checkpoint, 0, 1},
             {"network", case_network, 1, 1},
             {"routing", case_routing, 1, 1},
             {"objective", case_objective, 1, 0},
             {"solver", case_solver, 1, 0},
             {"guidance", case_guidance, 1, 0},
             {"frechet", case_frechet, 1, 0},
             {"metric", case_metric, 1, 0},
             {"inception", case_inception, 1, 1},
             {"optimizer", case_optimizer, 1, 0},
             {"consistency", case_consistency, 1, 0}};

static void run_file(struct totals *t, const char *path, const char *name)
{
    struct reference_case c = {.path = path, .device = t->device, .elsewhere = t->elsewhere, .muon = t->muon};
    const char *kind;
    size_t i = 0;

    if (maskdm_file_open(&c.file, path) < 0) {
        printf("%-44s           FAILED  %s\n", name, maskdm_last_error());
        t->failed++;
        return;
    }
    kind = maskdm_file_metadata(c.file, "kind");
    while (kind && i < sizeof kinds / sizeof *kinds && strcmp(kinds[i].name, kind) != 0)
        i++;
    if (!kind || i == sizeof kinds / sizeof *kinds)
        snprintf(c.skipped, sizeof c.skipped, "kind %s is not built", kind ? kind : "(none)");
    else if (!kinds[i].any && maskdm_file_metadata(c.file, "program"))
        snprintf(c.skipped, sizeof c.skipped, "a %s of %s is not built", kind,
                 maskdm_file_metadata(c.file, "program"));
    else {
        c.coarse = kinds[i].network ? t->coarse : 0;
        kinds[i].run(&c);
    }
    if (*c.skipped)
        printf("%-44s           skipped  %s\n", name, c.skipped);
    else
        printf("%-44s %.3e %s  %s\n", name, c.worst, c.failed ? "FAILED" : "passed", c.failed ? c.line : c.where);
    fflush(stdout);
    *(*c.skipped ? &t->skipped : c.failed ? &t->failed : &t->passed) += 1;
    maskdm_file_release(&c.file);
}

/* Whether a name ends in ".safetensors". */
static int is_case(const char *name)
{
    static const char ending[] = ".safetensors";
    const size_t n = strlen(name), m = sizeof ending - 1;

    return n > m && !strcmp(name + n - m, ending);
}

/* A file, or every case below a folder in the order of names. skip: bytes of `path` that its cases' names leave out.
 */
static int walk(struct totals *t, const char *path, size_t skip)
{
    struct dirent **entry;
    struct stat st;
    int n;

    if (stat(path, &st)) {
        fprintf(stderr, "reference_check: cannot read %s\n", path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode)) {
        run_file(t, path, strlen(path) > skip ? path + skip : path);
        return 0;
    }
    n = scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char below[4096];

        snprintf(below, sizeof below, "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.' && (is_case(below) || (!stat(below, &st) && S_ISDIR(st.st_mode))))
            walk(t, below, skip);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    return n < 0 ? -1 : 0;
}

struct device_settings {
    const char *name, *threads, *compute, *options;
};

static int open_device(maskdm_device **out, const struct device_settings *s)
{
    maskdm_options *o = NULL;
    int status = maskdm_options_create(&o, "device");

    if (status >= 0 && s->threads)
        status = maskdm_options_set(o, "threads", s->threads);
    if (status >= 0 && s->compute)
        status = maskdm_options_set(o, "compute", s->compute);
    if (status >= 0 && s->options)
        status = maskdm_options_parse(o, s->options);
    if (status >= 0)
        status = maskdm_device_open(out, s->name, o);
    maskdm_options_release(&o);
    if (status < 0)
        fprintf(stderr, "reference_check: %s\n", maskdm_last_error());
    return status;
}

static void choose_bounds(struct totals *t, const struct device_settings *s)
{
    const char *compute = s->compute ? s->compute : "";

    t->elsewhere = strcmp(s->name, "cpu") != 0;
    if (!strcmp(compute, "bfloat16")) {
        t->coarse = BF16_BOUND;
        t->muon = MUON_BF16_BOUND;
    } else if (!strcmp(compute, "tf32")) {
        t->coarse = TF32_BOUND;
        t->muon = MUON_TF32_BOUND;
    }
}

int main(int argc, char **argv)
{
    struct totals t = {0};
    struct device_settings s = {.name = "cpu"};
    const char *standard = getenv("MASKDM_REFERENCE");
    int paths = 0, bad = 0;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--device") && i + 1 < argc)
            s.name = argv[++i];
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            s.threads = argv[++i];
        else if (!strcmp(argv[i], "--compute") && i + 1 < argc)
            s.compute = argv[++i];
        else if (!strcmp(argv[i], "--options") && i + 1 < argc)
            s.options = argv[++i];
        else
            argv[++paths] = argv[i];
    }
    if (!paths && !standard)
        return 77;
    if (open_device(&t.device, &s) < 0)
        return 1;
    printf("%s\n", maskdm_device_description(t.device));
    choose_bounds(&t, &s);
    for (int i = 1; i <= paths; i++)
        bad |= walk(&t, argv[i], strlen(argv[i]) + 1);
    while (!paths && *standard) {
        const size_t n = strcspn(standard, ":");
        char path[4096];

        snprintf(path, sizeof path, "%.*s", (int)n, standard);
        bad |= n > 0 && walk(&t, path, n + 1);
        standard += n + (standard[n] == ':');
    }
    printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped);
    maskdm_device_release(&t.device);
    return bad || t.failed ? 1 : 0;
}
