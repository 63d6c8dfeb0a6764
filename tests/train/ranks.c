/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A step that several ranks make together, as threads of one process (../unit/ranks.h): the same bits whoever
 * computes which part, also from a state that another number of ranks saved, and one failure and one end for all.
 */
#include "tiny.h"

#include "../unit/ranks.h"
#include "train/trainer.h"

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER; /* tiny.h draws its images into memory of all */

static void open_rank_of(struct tiny *t, maskdm_comm *comm, const char *network, const char *optimizer,
                         const char *trainer)
{
    pthread_mutex_lock(&making);
    tiny_open_on(t, tiny_device("threads=1"), network, NULL, optimizer, NULL, trainer);
    pthread_mutex_unlock(&making);
    OK(maskdm_trainer_set_comm(t->trainer, comm));
    OK(mdm_comm_meet(comm, MASKDM_OK, "the opening", NULL)); /* nobody draws any more */
}

static void open_rank(struct tiny *t, maskdm_comm *comm, const char *optimizer, const char *trainer)
{
    open_rank_of(t, comm, NULL, optimizer, trainer);
}

/* ---- the same bits ---- */

struct course {
    const char *from, *to, *trainer; /* files of states; from may be NULL */
    int steps;
    double loss;
    const char *network; /* NULL: the tiny one */
};

/* Gradients in three pieces, which are final one behind the other. */
static const char large[] = "image_size=8 patch_size=2 dim=256 depth=3 heads=2 mlp_ratio=5";

static void expect_beside(const struct maskdm_trainer *tr)
{
    const struct mdm_exchange *x = &tr->ranks.exchange;

    ck_assert_int_eq(x->pieces, 3);
    ck_assert_int_eq(x->early, mdm_device_backend(tr->device)->v->asynchronous ? 0 : x->pieces);
    for (int i = 1; i < x->pieces; i++)
        ck_assert_int_gt(x->piece[i - 1].node, x->piece[i].node);
    ck_assert_int_gt(x->piece[0].node, tr->program->graph.n_node / 2);
}

static void follow(maskdm_comm *comm, void *arg)
{
    struct course *c = arg;
    struct tiny t;

    open_rank_of(&t, comm, c->network, NULL, c->trainer);
    if (c->from)
        OK(maskdm_trainer_load(t.trainer, c->from));
    tiny_step(&t, c->steps);
    if (c->network && maskdm_comm_size(comm) > 1)
        expect_beside(t.trainer);
    if (maskdm_comm_rank(comm) == 0) {
        OK(maskdm_trainer_save(t.trainer, c->to));
        c->loss = maskdm_trainer_last_loss(t.trainer);
    }
    tiny_close(&t);
}

static double train(int ranks, const char *from, const char *to, int steps, const char *trainer)
{
    struct course c = {from, to, trainer, steps, 0, NULL};

    ranks_run(ranks, follow, &c);
    return c.loss;
}

static void expect_same(const char *one, const char *other)
{
    size_t n, m;
    char *a = tiny_read(one, &n), *b = tiny_read(other, &m);

    ck_assert_msg(n == m && memcmp(a, b, n) == 0, "%s and %s differ", one, other);
    free(a);
    free(b);
}

static const char four[] = "batch_size=8 seed=3 accumulate=4";

START_TEST(any_number_of_ranks_comes_to_the_same_bits)
{
    const double loss = train(1, NULL, "ranks-1", 4, four);

    ck_assert_double_eq(train(2, NULL, "ranks-2", 4, four), loss);
    ck_assert_double_eq(train(4, NULL, "ranks-4", 4, four), loss);
    expect_same("ranks-1", "ranks-2");
    expect_same("ranks-1", "ranks-4");
    remove("ranks-2");
    remove("ranks-4");
    /* One goes on with what others began. */
    train(4, NULL, "ranks-4", 2, four);
    train(2, "ranks-4", "ranks-2", 1, four);
    train(1, "ranks-2", "ranks-3", 1, four);
    expect_same("ranks-1", "ranks-3");
    remove("ranks-1");
    remove("ranks-2");
    remove("ranks-3");
    remove("ranks-4");
}
END_TEST

/* Pieces are summed while the pass goes on, and the sums are those of blocks that one rank adds. */
START_TEST(sums_beside_the_pass_have_the_same_bits)
{
    struct course one = {NULL, "ranks-large-1", four, 2, 0, large}, two = {NULL, "ranks-large-2", four, 2, 0, large},
                  all = {NULL, "ranks-large-4", four, 2, 0, large};

    ranks_run(1, follow, &one);
    ranks_run(2, follow, &two);
    ranks_run(4, follow, &all);
    expect_same(one.to, two.to);
    expect_same(one.to, all.to);
    remove(one.to);
    remove(two.to);
    remove(all.to);
}
END_TEST

/* In the middle of a pass, whose rest goes on and is for nothing. */
static void lose(maskdm_comm *comm, void *arg)
{
    struct tiny t;

    (void)arg;
    open_rank_of(&t, comm, large, NULL, four);
    OK(maskdm_trainer_step(t.trainer, t.data));
    FAILS(MASKDM_EDEVICE, "has ended", maskdm_trainer_step(t.trainer, t.data));
    FAILS(MASKDM_EDEVICE, "work together no longer", maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 1);
    tiny_close(&t);
}

START_TEST(a_rank_that_is_lost_in_the_middle_leaves_nobody_waiting)
{
    ranks_run_until(2, 4, lose, NULL); /* each step has three */
}
END_TEST

static void save_alone(const char *path, int steps, const char *trainer)
{
    struct tiny t;

    tiny_open(&t, trainer);
    tiny_step(&t, steps);
    OK(maskdm_trainer_save(t.trainer, path));
    tiny_close(&t);
}

/* A step of one part is what it is without a communicator; of several, up to the rounding of their sum. */
START_TEST(a_communicator_of_one_changes_nothing_but_the_order_of_parts)
{
    double loss;

    save_alone("ranks-alone", 4, "batch_size=8 seed=3");
    train(1, NULL, "ranks-self", 4, "batch_size=8 seed=3");
    expect_same("ranks-alone", "ranks-self");
    loss = train(3, NULL, "ranks-three", 4, "batch_size=12 seed=3 accumulate=6");
    ck_assert_double_eq(train(3, NULL, "ranks-again", 4, "batch_size=12 seed=3 accumulate=6"), loss);
    expect_same("ranks-three", "ranks-again");
    ck_assert_double_eq_tol(train(1, NULL, "ranks-again", 4, "batch_size=12 seed=3 accumulate=6"), loss, 1e-5);
    remove("ranks-alone");
    remove("ranks-self");
    remove("ranks-three");
    remove("ranks-again");
}
END_TEST

/* ---- one decision ---- */

static int give_nan(void *user, int64_t i, float *image, int32_t *label)
{
    (void)user;
    for (int k = 0; k < VALUES; k++)
        image[k] = i == 11 ? NAN : 0.5f;
    *label = -1;
    return 0;
}

/* An image that one rank sees makes all of them pass over the step. */
static void skip(maskdm_comm *comm, void *arg)
{
    struct tiny t;
    maskdm_data *data;
    float *before, *after;

    (void)arg;
    open_rank(&t, comm, NULL, "batch_size=40 seed=3 accumulate=4 max_bad_steps=3");
    OK(maskdm_data_create_callback(&data, t.device, COUNT, SIDE, SIDE, 3, give_nan, NULL, NULL));
    before = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    OK(maskdm_trainer_step(t.trainer, data));
    ck_assert_int_eq(maskdm_trainer_skipped(t.trainer), 1);
    after = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    ck_assert_int_eq(memcmp(before, after, tiny_bytes(&t)), 0);
    OK(maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_skipped(t.trainer), 1);
    free(before);
    free(after);
    maskdm_data_release(&data);
    tiny_close(&t);
}

START_TEST(a_step_is_skipped_by_all)
{
    ranks_run(2, skip, NULL);
}
END_TEST

static void stop(maskdm_comm *comm, void *arg)
{
    struct tiny t;
    atomic_int *saves = arg;

    open_rank(&t, comm, NULL, "batch_size=8 seed=3 accumulate=4");
    tiny_step(&t, 1);
    if (maskdm_comm_rank(comm) == 1) {
        maskdm_control_stop(t.control);
        maskdm_control_save(t.control);
    }
    OK(maskdm_trainer_step(t.trainer, t.data)); /* is finished */
    FAILS(MASKDM_ECANCELED, "the step was cancelled", maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 2);
    if (mdm_control_wants_save(t.control))
        atomic_fetch_add(saves, 1 + (int)maskdm_comm_rank(comm));
    if (maskdm_comm_rank(comm) == 2)
        maskdm_control_cancel(t.control);
    FAILS(MASKDM_ECANCELED, "was cancelled", maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 2);
    OK(maskdm_trainer_step(t.trainer, t.data)); /* and all go on together */
    tiny_close(&t);
}

START_TEST(who_is_asked_to_stop_stops_all)
{
    atomic_int saves = 0;

    ranks_run(4, stop, &saves);
    (void)saves;
}
END_TEST

/* ---- what is refused ---- */

struct unlike {
    const char *trainer, *optimizer; /* of rank 1 */
    const char *said[2];
};

static void differ(maskdm_comm *comm, void *arg)
{
    const struct unlike *u = arg;
    const int other = maskdm_comm_rank(comm) == 1;
    struct tiny t;

    open_rank(&t, comm, other ? u->optimizer : NULL, other ? u->trainer : "batch_size=8 seed=3 accumulate=2");
    FAILS(MASKDM_EINVAL, u->said[0], maskdm_trainer_step(t.trainer, t.data));
    FAILS(MASKDM_EINVAL, u->said[1], maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 0);
    tiny_close(&t);
}

START_TEST(ranks_that_differ_are_refused)
{
    static struct unlike u[] = {
        {"batch_size=16 seed=3 accumulate=2",
         NULL,
         {"rank 0 has the trainer's batch_size 8, rank 1 has the trainer's batch_size 16", "rank 0 has"}},
        {"batch_size=8 seed=3 accumulate=2",
         "lr=1e-3",
         {"rank 0 has the optimizer's lr 0.002, rank 1 has the optimizer's lr 0.001", "the optimizer's lr"}},
        {"batch_size=8 seed=4 accumulate=2", NULL, {"seed 3, rank 1 has the trainer's seed 4", "seed 4"}},
    };

    for (size_t i = 0; i < MDM_LENGTH(u); i++)
        ranks_run(2, differ, &u[i]);
}
END_TEST

static void other_data(maskdm_comm *comm, void *arg)
{
    struct tiny t;
    maskdm_data *fewer;

    (void)arg;
    open_rank(&t, comm, NULL, four);
    OK(maskdm_data_create_memory(&fewer, t.device, COUNT - (maskdm_comm_rank(comm) == 1), SIDE, SIDE, 3,
                                 MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0, tiny_labels, NULL, NULL));
    FAILS(MASKDM_EINVAL, "rank 0 has 40 images of 8 x 8 x 3", maskdm_trainer_step(t.trainer, fewer));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), ", rank 1 has 39 images of 8 x 8 x 3"));
    if (maskdm_comm_rank(comm) == 0) { /* as one who has loaded a state that the other has not */
        OK(maskdm_optimizer_step(t.optimizer));
    }
    FAILS(MASKDM_EINVAL, "rank 0 is at step 2, rank 1 at step 1", maskdm_trainer_step(t.trainer, t.data));
    maskdm_data_release(&fewer);
    tiny_close(&t);
}

static void other_weights(maskdm_comm *comm, void *arg)
{
    const float one = 1;
    struct tiny t;

    (void)arg;
    open_rank(&t, comm, NULL, four);
    if (maskdm_comm_rank(comm) == 1)
        OK(mdm_device_upload(t.device, t.trainer->weights, &one, sizeof one));
    FAILS(MASKDM_EINVAL, "rank 0 has weights and moments of digest", maskdm_trainer_step(t.trainer, t.data));
    tiny_close(&t);
}

START_TEST(other_data_steps_and_weights_are_refused)
{
    ranks_run(2, other_data, NULL);
    ranks_run(2, other_weights, NULL);
}
END_TEST

static int give_error(void *user, int64_t i, float *image, int32_t *label)
{
    (void)i;
    for (int k = 0; k < VALUES; k++)
        image[k] = 0.5f;
    *label = -1;
    return *(int *)user;
}

static void fail_alone(maskdm_comm *comm, void *arg)
{
    struct tiny t;
    maskdm_data *data;
    int fails = maskdm_comm_rank(comm) == 1;

    (void)arg;
    open_rank(&t, comm, NULL, four);
    OK(maskdm_data_create_callback(&data, t.device, COUNT, SIDE, SIDE, 3, give_error, NULL, &fails));
    FAILS(MASKDM_ECANCELED, fails ? "the host's data function stopped" : "rank 1 of 2: the host",
          maskdm_trainer_step(t.trainer, data));
    fails = 0;
    OK(maskdm_trainer_step(t.trainer, data));
    maskdm_data_release(&data);
    tiny_close(&t);
}

START_TEST(what_fails_in_one_fails_in_all)
{
    struct tiny t;
    maskdm_comm *comm;

    ranks_run(2, fail_alone, NULL);
    tiny_open(&t, "batch_size=8");
    OK(maskdm_comm_open(&comm, "self", NULL));
    OK(maskdm_trainer_set_comm(t.trainer, comm));
    OK(maskdm_trainer_set_comm(t.trainer, NULL));
    OK(maskdm_trainer_set_comm(t.trainer, comm));
    tiny_step(&t, 1);
    maskdm_comm_release(&comm); /* the trainer has it */
    tiny_step(&t, 1);
    tiny_close(&t);
}
END_TEST

static void go_round(maskdm_comm *comm, void *arg)
{
    struct tiny t;

    (void)arg;
    pthread_mutex_lock(&making);
    tiny_open(&t, "batch_size=8 accumulate=4");
    pthread_mutex_unlock(&making);
    FAILS(MASKDM_EINVAL, "accumulate 4 does not go round in 3 ranks", maskdm_trainer_set_comm(t.trainer, comm));
    tiny_close(&t);
}

START_TEST(parts_go_round)
{
    ranks_run(3, go_round, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ranks");
    TCase *c = tcase_create("ranks");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, any_number_of_ranks_comes_to_the_same_bits);
    tcase_add_test(c, a_communicator_of_one_changes_nothing_but_the_order_of_parts);
    tcase_add_test(c, sums_beside_the_pass_have_the_same_bits);
    tcase_add_test(c, a_rank_that_is_lost_in_the_middle_leaves_nobody_waiting);
    tcase_add_test(c, a_step_is_skipped_by_all);
    tcase_add_test(c, who_is_asked_to_stop_stops_all);
    tcase_add_test(c, ranks_that_differ_are_refused);
    tcase_add_test(c, other_data_steps_and_weights_are_refused);
    tcase_add_test(c, what_fails_in_one_fails_in_all);
    tcase_add_test(c, parts_go_round);
    tcase_set_timeout(c, 100);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
