/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file of betas: refused with a line, or numbers, of which a schedule is made or refused; a schedule
 * that is made is finite throughout and falls.
 */
#include "fuzz.h"
#include "text.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete_betas_file.h"
#include "diffusion/discrete_schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const mdm_fuzz_words[] = {"0.5",   "1\n",    "1e-3\n", "\r\n",     "#",    "-1",
                                      "1e999", "0x1p-3", "nan",    "1e-320\n", "\n\n", "0.9999999999999999\n",
                                      NULL};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    static const char *const seeds[] = {"0.0001\n0.01\n0.02\n", "# betas\n\n1e-4\r\n 2.5e-2 \r\n1"};

    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

static unsigned kind_given(void)
{
    int i = 0;

    while (strcmp(mdm_betas_name(i), "given") != 0)
        i++;
    return (unsigned)i;
}

static void make(const double *beta, int64_t count, int zero)
{
    const struct mdm_betas how = {.kind = kind_given(), .timesteps = count, .given = beta, .zero_terminal_snr = zero};
    struct mdm_schedule s;
    const int status = mdm_schedule_make(&s, &how);

    if (status != MASKDM_OK && status != MASKDM_EINVAL)
        abort();
    for (int64_t t = 0; status == MASKDM_OK && t < count; t++) {
        const double now = s.abar[t], before = t ? s.abar[t - 1] : 1;

        if (!(now <= before && (now > 0 || t == count - 1)) || !isfinite(s.variance[t]) || !isfinite(s.coef1[t]) ||
            !isfinite(s.coef2[t]) || !isfinite(mdm_schedule_log_signal(&s, (double)t)))
            abort();
    }
    mdm_schedule_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    long live = mdm_alloc_live();
    double *beta;
    int64_t count;
    int status;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    status = mdm_betas_parse(&beta, &count, text, size);
    if (status != MASKDM_OK && status != MASKDM_EFORMAT)
        abort();
    if (status == MASKDM_OK)
        for (int zero = 0; zero < 2; zero++)
            make(beta, count, zero);
    if (status == MASKDM_OK)
        mdm_free(beta);
    free(text);
    if (mdm_alloc_live() != live)
        abort();
    return 0;
}
