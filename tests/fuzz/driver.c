/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a fuzz target without libFuzzer: on the files given, or for SECONDS on mutations of the target's seeds
 * that are the same in every run (only how many are reached depends on the machine).
 *
 *     fuzz_X FILE...      replay
 *     fuzz_X -SECONDS     mutate
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CAPACITY = 4096, SPARE = 64 };

static uint64_t state = 0x6d61736b646dULL;

static size_t below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n ? (size_t)((state >> 16) % n) : 0;
}

static size_t insert(uint8_t *data, size_t size, const void *bytes, size_t n)
{
    size_t at = below(size + 1);

    if (size + n > CAPACITY)
        return size;
    memmove(data + at + n, data + at, size - at);
    memcpy(data + at, bytes, n);
    return size + n;
}

static size_t mutate(uint8_t *data, size_t size, int words)
{
    uint8_t part[SPARE];
    size_t at = below(size), n = size ? below(size - at < SPARE ? size - at + 1 : SPARE) : 0;

    switch (below(5)) {
    case 0:
        if (size)
            data[at] ^= (uint8_t)(1u << below(8));
        return size;
    case 1:
        if (size)
            data[at] = (uint8_t)below(256);
        return size;
    case 2: /* cut a piece out */
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    case 3: /* repeat a piece elsewhere */
        memcpy(part, data + at, n);
        return insert(data, size, part, n);
    default: {
        const char *word = mdm_fuzz_words[below((size_t)words)];
        return insert(data, size, word, strlen(word));
    }
    }
}

static void run_mutations(double seconds)
{
    static uint8_t data[CAPACITY];
    int seeds = 0, words = 0;
    long runs = 0;
    time_t start = time(NULL);

    while (mdm_fuzz_seed(seeds, data, CAPACITY))
        seeds++;
    while (mdm_fuzz_words[words])
        words++;
    while (runs % 64 || difftime(time(NULL), start) < seconds) {
        size_t size = mdm_fuzz_seed((int)below((size_t)seeds), data, CAPACITY);
        uint8_t *exact;
        for (size_t k = 1 + below(6); k > 0; k--)
            size = mutate(data, size, words);
        exact = malloc(size ? size : 1); /* exact, so that a sanitizer sees one byte too far */
        if (!exact)
            exit(EXIT_FAILURE);
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        runs++;
    }
    printf("%ld mutations\n", runs);
}

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(EXIT_FAILURE);
    }
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
    if (argc == 2 && argv[1][0] == '-')
        run_mutations(atof(argv[1] + 1));
    for (int i = 1; i < argc && argv[1][0] != '-'; i++)
        replay(argv[i]);
    return EXIT_SUCCESS;
}
