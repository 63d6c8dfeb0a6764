/* SPDX-License-Identifier: BSD-2-Clause
 *
 * solver_bench MODEL [IMAGES]: how far solvers are from the solution that they approach, by the number of evaluations
 * of the network: a table in Markdown, as doc/solvers.md has it. The distance is the root of the mean square over all
 * values, in -1 .. 1 units, to a run of Heun's method with a thousand evaluations from the same noise. Solvers that
 * draw noise have no such solution and are not among them. Public headers alone.
 */
#include <maskdm/maskdm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGETS = 7, REFERENCE = 500 };

static const int budgets[BUDGETS] = {5, 8, 12, 20, 35, 60, 100};

static const char *const solvers[] = {
    "sampler=ddim",
    "sampler=ddim spacing=trailing",
    "sampler=heun",
    "sampler=heun spacing=karras",
    "sampler=dpmpp spacing=trailing",
    "sampler=dpmpp spacing=karras",
    "sampler=dpmpp spacing=logsnr",
    "sampler=dpmpp spacing=logsnr order=3",
    "sampler=unipc spacing=trailing",
    "sampler=unipc spacing=karras",
    "sampler=unipc spacing=logsnr",
    "sampler=unipc spacing=logsnr order=3",
    "sampler=dpmpp spacing=time",
    "sampler=unipc spacing=time",
};

/* Images from the noise in x; 1 where the model's process has no such solver. */
static int solve(maskdm_model *model, const char *sampler, int steps, int64_t count, float *x)
{
    char text[160];
    maskdm_options *o = NULL;
    maskdm_sampler *s = NULL;
    int rc;

    snprintf(text, sizeof text, "%s steps=%d final_sigma=zero clip=false batch_size=%d", sampler, steps, (int)count);
    rc = maskdm_options_create(&o, "sampler");
    if (rc == MASKDM_OK)
        rc = maskdm_options_parse(o, text);
    if (rc == MASKDM_OK && maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, o, NULL) == MASKDM_EINVAL)
        rc = 1;
    maskdm_options_release(&o);
    if (rc == MASKDM_OK)
        rc = maskdm_sampler_run_from(s, count, x, NULL, NULL);
    maskdm_sampler_release(&s);
    return rc;
}

static double distance(const float *a, const float *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum / (double)n);
}

/* Nothing where the model's process has no such solver. */
static int print_row(maskdm_model *model, const char *sampler, int64_t count, int64_t n, const float *noise,
                     const float *want, float *x)
{
    const int twice = strstr(sampler, "heun") != NULL;
    double far[BUDGETS];

    for (int i = 0; i < BUDGETS; i++) {
        int rc;

        memcpy(x, noise, (size_t)n * sizeof *x);
        rc = solve(model, sampler, twice ? (budgets[i] + 1) / 2 : budgets[i], count, x);
        if (rc)
            return rc < 0 ? rc : MASKDM_OK;
        far[i] = distance(x, want, n);
    }
    printf("| `%s` |", sampler + strlen("sampler="));
    for (int i = 0; i < BUDGETS; i++)
        printf(" %.4f |", far[i]);
    printf("\n");
    fflush(stdout);
    return MASKDM_OK;
}

static int print_table(maskdm_model *model, int64_t count, int64_t n, float *noise, float *want, float *x)
{
    const char *reference = "sampler=heun spacing=logsnr";
    maskdm_scheduler *scheduler = NULL;
    int rc = maskdm_model_scheduler(&scheduler, model);

    if (rc == MASKDM_OK)
        rc = maskdm_scheduler_draw_noise(scheduler, 1, 0, 0, 1, n, noise);
    maskdm_scheduler_release(&scheduler);
    memcpy(want, noise, (size_t)n * sizeof *want);
    if (rc == MASKDM_OK && (rc = solve(model, reference, REFERENCE, count, want)) == 1) {
        reference = "sampler=heun spacing=time";
        rc = solve(model, reference, REFERENCE, count, want);
    }
    if (rc != MASKDM_OK)
        return rc;
    printf("| evaluations |");
    for (int i = 0; i < BUDGETS; i++)
        printf(" %d |", budgets[i]);
    printf("\n| --- |");
    for (int i = 0; i < BUDGETS; i++)
        printf(" --- |");
    printf("\n");
    for (size_t k = 0; k < sizeof solvers / sizeof *solvers && rc == MASKDM_OK; k++)
        rc = print_row(model, solvers[k], count, n, noise, want, x);
    return rc;
}

int main(int argc, char **argv)
{
    const int64_t count = argc > 2 ? atoi(argv[2]) : 16;
    maskdm_device *device = NULL;
    maskdm_model *model = NULL;
    float *noise = NULL;
    int rc;

    if (argc < 2 || count < 1) {
        fprintf(stderr, "usage: solver_bench MODEL [IMAGES]\n");
        return 2;
    }
    rc = maskdm_device_open(&device, "cpu", NULL);
    if (rc == MASKDM_OK)
        rc = maskdm_model_load(&model, device, argv[1]);
    if (rc == MASKDM_OK) {
        const int64_t n =
            count * maskdm_model_height(model) * maskdm_model_width(model) * maskdm_model_channels(model);

        noise = malloc((size_t)n * 3 * sizeof *noise);
        rc = noise ? print_table(model, count, n, noise, noise + n, noise + 2 * n) : MASKDM_ENOMEM;
    }
    if (rc != MASKDM_OK)
        fprintf(stderr, "solver_bench: %s\n", rc == MASKDM_ENOMEM ? "out of memory" : maskdm_last_error());
    free(noise);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
    return rc == MASKDM_OK ? 0 : 1;
}
