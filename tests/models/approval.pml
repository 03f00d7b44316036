/*
 * One approval, from proposal to outcome, with everything that may go wrong beside it.
 * README.md says which function each step stands for, what is left out and why.
 *
 * Processes: the keeper (with its caller), REPLICAS servers on one store, the world
 * (time, policy, backend, the store's loss of memory), and a hostile client that keeps
 * every grant that ever left the gate. Whatever one process does between two durable
 * writes is one atomic step; it may die between any two of them. All budgets only
 * shrink, so every run ends: a run that ends with the approval open is an error
 * ("invalid end state"), and so is a cycle.
 *
 * -DDIRECT: the call of a client that is not ours; the server registers and claims.
 * -DEMBEDDED: one server, whose store forgets nothing and begins an epoch when it starts.
 * -D<VARIANT>: one thing is broken (see models_test.py); the claim that must notice it
 * is then the only one that is checked (-DCLAIM=<number>).
 */
#ifndef REPLICAS
#define REPLICAS 2
#endif
#ifndef DEATHS			/* of keeper and servers together */
#define DEATHS 2
#endif
#ifndef CLICKS
#define CLICKS 3
#endif
#ifndef SENDS			/* by the keeper, while the grant may live */
#define SENDS 2
#endif
#ifndef REPLAYS			/* by the hostile client */
#define REPLAYS 1
#endif
#ifndef REVOKES			/* of a grant that has left */
#define REVOKES 1
#endif
#ifndef FLUSHES			/* the store forgets, and its epoch begins anew */
#ifdef EMBEDDED
#define FLUSHES 0
#else
#define FLUSHES 1
#endif
#endif
#ifndef LOOKS			/* of the keeper, at what a direct client's server did */
#define LOOKS 2
#endif

/* ---- Claims ---- */

#define ACTED_TWICE 1
#define ACTED_WITHOUT_YES 2
#define ACTED_ON_OTHER_ARGUMENTS 3
#define ACTED_ON_OTHER_PLAN 4
#define ACTED_BEFORE_BURN 5
#define TOLD_WRONG 6

bool acted_twice, acted_without_yes, acted_on_other_arguments, acted_on_other_plan,
	acted_before_burn, told_wrong;

#ifndef CLAIM
#define NEVER(number, what) assert(!what)
#else
#define NEVER(number, what) assert(CLAIM != number || !what)
#endif

/* ---- What is durable ---- */

mtype = { PROPOSED, PENDING, APPROVED, GRANTED, EXECUTING, SUCCEEDED, FAILED, UNKNOWN,
	DENIED, EXPIRED, CANCELLED, REVOKED, LAPSED, REFUSED };
mtype = { UNBURNT, STARTED, DONE, SPENT, LOST, TAKEN };   /* a burn's record; SPENT: unused,
	TAKEN: unused, because people took it back */
mtype = { SAYS_DONE, SAYS_FAILED, SAYS_UNKNOWN, SAYS_RUNNING, SAYS_REFUSED,
	SAYS_OLDER,	/* refused, because it is from before the store's epoch */
	SAYS_TAKEN };

/* the gate's */
#ifndef DECIDED
mtype state = PROPOSED;
bit said_a, said_b;	/* whose yes the record holds */
#else			/* begin where people have decided */
mtype state = APPROVED;
bit said_a = 1, said_b = 1;
#endif
bit planned;		/* the plan that people see */
bool revoking;		/* people want the grant back that has left */
byte counted;		/* clicks that counted; the distinct persons, unless broken */
/* grants: the words signed; 0 is the first, 1 exists in broken variants alone */
byte words;
bool leaves[2];		/* it left the gate, so others may have it */
byte grant_id[2];
byte grant_epoch[2];
bool live[2];		/* ghost: when it was signed there was a yes that held */

/* the servers' store */
#ifdef STORE_UNCHECKED		/* every other server has one of its own, and takes all grants */
#define STORES 2
#else
#define STORES 1
#endif
mtype burn[2 * STORES] = UNBURNT;
byte epoch;

/* the world */
bit world;		/* what a plan made now would say */
bit policy = 1;		/* whether B may still approve */
bool yes_over, grant_over, settled, given_up;	/* times that have passed, in order */
byte burning;		/* servers between their last look and the burn */
byte acts;		/* ghost: how often it happened */
byte deaths = DEATHS;

#define IS_END(s) (s != PROPOSED && s != PENDING && s != APPROVED && s != GRANTED && \
	s != EXECUTING)
/* What people are told then is that nothing ran. */
#define SAYS_NOTHING_RAN(s) (s == FAILED || s == DENIED || s == EXPIRED || \
	s == CANCELLED || s == REVOKED || s == LAPSED || s == REFUSED)

#define THE_ARGUMENTS 0

#ifdef DIRECT
byte calls = 2;		/* the same call, by one client that repeats itself */
#endif
chan wire = [2] of { byte, bit, byte };	/* grant, arguments, number of the send; 0: hostile */
chan back = [SENDS + 1] of { mtype, byte };

/* keeper_move: one durable write, and the claim that what is told is so. */
inline move(to)
{
	state = to;
	told_wrong = (to == SUCCEEDED && acts == 0) || (SAYS_NOTHING_RAN(to) && acts > 0);
	NEVER(TOLD_WRONG, told_wrong)
}

/* ---- The gate ---- */

byte in_flight;		/* number of the send that is awaited; 0: none. Of the process */
bool unanswered;	/* of the process */
bool taken;		/* a server's answer that it burnt it unused, on its way */
byte sends, clicks = CLICKS;
#ifdef DIRECT
byte looks = LOOKS;
#endif
bool sent_late;

/* keeper_on_decide: one click, of requester (0), A (1) or B (2), on this prompt or not. */
inline click()
{
	clicks--;
	if
	:: who = 0
	:: who = 1
	:: who = 2
	fi;
	if
	:: right = true
	:: right = false
	fi;
	if
#ifndef SHOWN_UNCHECKED
	:: !right				/* another digest than the record's */
#endif
#ifndef FOUR_EYES_FORGOTTEN
	:: who == 0				/* asks, so does not approve */
#endif
	:: who == 2 && !policy			/* not of the team any more */
#ifndef DOUBLE_CLICK_COUNTS
	:: who == 1 && said_a			/* once a person */
	:: who == 2 && said_b
#endif
	:: else ->
		counted++;
		said_a = said_a || (who == 1 && right);
		said_b = said_b || (who == 2 && right);
		if
		:: counted == 2 -> move(APPROVED)
		:: else
		fi
	fi;
	who = 0;
	right = false
}

#ifdef POLICY_NOT_READ_AGAIN
#define STILL_APPROVED true
#else
#define STILL_APPROVED (policy || !said_b)
#endif
#ifdef LAPSED_IS_STARTED
#define IS_GOOD true
#else
#define IS_GOOD (!yes_over)
#endif

/* sign(): audit line, words, and their record. Nobody has them before the last. */
inline sign(number)
{
	grant_id[words] = number;
	grant_epoch[words] = epoch;
	live[words] = said_a && said_b && policy && !yes_over;
	words++;
	clicks = 0;		/* of no more use, nor of difference */
	move(GRANTED)
}

inline keeper_starts()
{
	in_flight = 0;
	taken = false;
	unanswered = state == GRANTED || state == EXECUTING
}

#ifdef CANCEL_AFTER_GRANT
#define MAY_CANCEL(s) (!IS_END(s) && s != EXECUTING)
#else
#define MAY_CANCEL(s) (s == PROPOSED || s == PENDING || s == APPROVED)
#endif

#ifdef LATE_ANSWER_COUNTS
#define LATE settled
#else
#define LATE sent_late
#endif

/* end_not_run */
inline not_run()
{
	if
	:: state == GRANTED -> move(REFUSED)
	:: state == EXECUTING -> move(FAILED)
	fi
}

/* take_result, take_fault. */
inline take(says)
{
	if
	:: says == SAYS_DONE -> move(SUCCEEDED)
	:: says == SAYS_FAILED -> move(FAILED)
	:: says == SAYS_UNKNOWN -> move(UNKNOWN)
	:: says == SAYS_TAKEN -> not_run()
	:: says == SAYS_RUNNING -> unanswered = true
	:: says == SAYS_REFUSED ->
		if
#ifdef REFUSAL_IS_BELIEVED_AT_ONCE
		:: state == GRANTED -> move(REFUSED)
		:: state == EXECUTING -> move(FAILED)
#else
		/* An earlier copy may be under way: what counts is an answer to what was
		 * asked when none can be. */
		:: !LATE && (unanswered || REPLAYS > 0) -> skip
		:: else -> not_run()
#endif
		fi
#ifdef EMBEDDED
	/* void: who could have taken an earlier copy is dead, and had burnt none */
	:: says == SAYS_OLDER -> not_run()
#else
	/* The store may have forgotten what became of an earlier copy. */
	:: says == SAYS_OLDER ->
		if
#ifndef FORGETTING_IS_A_REFUSAL
		:: unanswered || REPLAYS > 0 -> move(UNKNOWN)
		:: else -> move(REFUSED)
#else
		:: true -> not_run()
#endif
		fi
#endif
	fi
}

#ifdef DIRECT
/* The same of a direct client's call: its server has the grant, so it may be at it. */
inline take_look(says)
{
	if
	:: says == SAYS_DONE -> move(SUCCEEDED)
	:: says == SAYS_FAILED -> move(FAILED)
	:: says == SAYS_UNKNOWN -> move(UNKNOWN)
	:: says == SAYS_TAKEN -> move(REFUSED)
	:: says == SAYS_RUNNING
	:: says == SAYS_REFUSED && sent_late -> move(REFUSED)
	:: says == SAYS_REFUSED && !sent_late
#ifdef EMBEDDED
	:: says == SAYS_OLDER -> move(REFUSED)
#else
	:: says == SAYS_OLDER -> move(UNKNOWN)
#endif
	fi
}
#endif

active proctype Keeper()
{
	byte who, number;
	bool right;
	mtype says;

	do
	:: atomic { IS_END(state) -> break }
	/* died, in any state; what it had in hand is lost */
	:: atomic { !IS_END(state) && deaths > 0 -> deaths--; keeper_starts() }
	:: atomic { MAY_CANCEL(state) -> move(CANCELLED) }

	/* keeper_advance, keeper_take_plan, post: the plan was made when people see it */
	:: atomic { state == PROPOSED -> planned = world; move(PENDING) }
	:: atomic { state == PROPOSED -> move(REFUSED) }

	:: atomic { state == PENDING && clicks > 0 -> click() }
	:: atomic { state == PENDING -> move(DENIED) }
	:: atomic { state == PENDING -> move(EXPIRED) }

	:: atomic { state == APPROVED -> move(REVOKED) }	/* by an approver */
	:: atomic { state == APPROVED && yes_over -> move(LAPSED) }

	/* keeper_ask_revoke, keeper_revoke_step; execution_revoke: of that burn and the call's
	 * own the first one counts */
	:: atomic { REVOKES > 0 && (state == GRANTED || state == EXECUTING) && !revoking &&
		!grant_over ->
		revoking = true }
	:: atomic { revoking && !taken && !IS_END(state) && !grant_over &&
		burn[grant_id[0]] == UNBURNT ->
		if
#ifdef REVOKED_UNBURNT
		:: true -> taken = true
#else
		:: grant_epoch[0] == epoch -> burn[grant_id[0]] = TAKEN; taken = true
		:: else -> burn[grant_id[0]] = LOST	/* refuse_forgotten */
#endif
		fi }
#ifdef DIRECT
	:: atomic { taken && state == GRANTED -> move(REFUSED) }
#else
	:: atomic { taken && !IS_END(state) -> not_run() }
#endif
#ifndef DIRECT
	/* keeper_claim, keeper_grant */
	:: atomic { state == APPROVED && IS_GOOD && !STILL_APPROVED -> move(REVOKED) }
	:: atomic { state == APPROVED && IS_GOOD && STILL_APPROVED -> sign(0) }
#ifdef RANDOM_ID
	/* what was signed is not read back after a crash, but signed anew */
	:: atomic { state == GRANTED && in_flight == 0 && unanswered && words == 1 &&
		!grant_over -> sign(1) }
#endif
	/* keeper_send: the stored words, again and again, at the end once more */
	:: atomic { (state == GRANTED || state == EXECUTING) && in_flight == 0 &&
#ifdef NOT_RESUMED
		!unanswered &&
#endif
		!given_up && nfull(wire) &&
		/* once it is to be revoked it is only looked */
		((sends < SENDS && !revoking) || (settled && !sent_late)) ->
		sent_late = settled;
		sends++;
		in_flight = sends;
		leaves[words - 1] = true;
		wire!words - 1, THE_ARGUMENTS, sends }
	/* keeper_on_executed */
	:: atomic { back?says, number ->
		if
		:: number == in_flight && !IS_END(state) -> in_flight = 0; take(says)
		:: else
		fi;
		number = 0; says = 0 }
	/* the caller waited long enough, or lost the connection, or died */
	:: atomic { in_flight > 0 ->
		in_flight = 0; unanswered = true;
		if
		:: state == GRANTED -> move(EXECUTING)
		:: else
		fi }
#ifndef NOT_RESUMED
	:: atomic { (state == GRANTED || state == EXECUTING) && given_up &&
		in_flight == 0 -> move(UNKNOWN) }
#endif
#else
	/* check_direct: the server that claimed says nothing */
	:: atomic { state == GRANTED && given_up && says == 0 -> move(UNKNOWN) }
	/* It is asked what became of the grant; tell_unburnt, refuse_used */
	:: atomic { state == GRANTED && looks > 0 && says == 0 ->
		looks--;
#ifdef LOOKED_TOO_EARLY
		sent_late = true;
#else
		sent_late = settled;
#endif
		if
		:: burn[0] == STARTED -> says = SAYS_RUNNING
		:: burn[0] == DONE -> says = SAYS_DONE
		:: burn[0] == SPENT -> says = SAYS_FAILED
		:: burn[0] == LOST -> says = SAYS_UNKNOWN
		:: burn[0] == TAKEN -> says = SAYS_TAKEN
		:: burn[0] == UNBURNT && grant_epoch[0] != epoch -> says = SAYS_OLDER
		:: burn[0] == UNBURNT && grant_epoch[0] == epoch -> says = SAYS_REFUSED
		fi }
	:: atomic { says != 0 ->
		if
		:: state == GRANTED -> take_look(says)
		:: else			/* its server was quicker */
		fi;
		says = 0; sent_late = false }
#endif
	od
}

/* ---- A server ---- */

#define MAY_DIE if :: atomic { deaths > 0 -> deaths--; goto dies } :: true fi

/* keeper's answer to the call that asked; a hostile client's is nobody's concern. */
inline answer(what)
{
#ifndef DIRECT
	if
	:: number > 0 -> back!what, number
	:: else
	fi
#else
	/* report_outcome: taken while the approval is under way, else too late */
	if
	:: state == GRANTED && what == SAYS_DONE -> move(SUCCEEDED)
	:: state == GRANTED && what == SAYS_FAILED -> move(FAILED)
	:: state == GRANTED && what == SAYS_UNKNOWN -> move(UNKNOWN)
	/* nobody else had this grant */
	:: state == GRANTED && (what == SAYS_REFUSED || what == SAYS_OLDER ||
		what == SAYS_TAKEN) ->
		move(REFUSED)
	:: else
	fi
#endif
}

/* refuse_used: the record says what became of it. */
inline answer_used()
{
	if
	:: burn[id] == STARTED -> answer(SAYS_RUNNING)
	:: burn[id] == DONE -> answer(SAYS_DONE)
	:: burn[id] == SPENT -> answer(SAYS_FAILED)
	:: burn[id] == LOST -> answer(SAYS_UNKNOWN)
	:: burn[id] == TAKEN -> answer(SAYS_TAKEN)
	:: else
	fi
}

/* The act itself, and what must never be. */
inline act()
{
	acted_twice = acts > 0;
	acted_without_yes = !live[grant];
	acted_on_other_arguments = arguments != THE_ARGUMENTS;
	acted_on_other_plan = plan != planned;
	acted_before_burn = !mine;
	told_wrong = SAYS_NOTHING_RAN(state);
	NEVER(ACTED_TWICE, acted_twice);
	NEVER(ACTED_WITHOUT_YES, acted_without_yes);
	NEVER(ACTED_ON_OTHER_ARGUMENTS, acted_on_other_arguments);
	NEVER(ACTED_ON_OTHER_PLAN, acted_on_other_plan);
	NEVER(ACTED_BEFORE_BURN, acted_before_burn);
	NEVER(TOLD_WRONG, told_wrong);
	acts++;
	world = 1 - planned	/* what it would do now is another thing */
}

#ifdef EPOCH_IGNORED
#define IS_OF_EPOCH true
#else
#define IS_OF_EPOCH (grant_epoch[grant] == epoch)
#endif

proctype Server()
{
	byte grant, number, id;
	bit arguments, plan;
	bool mine, good;

end_idle:
	do
#ifdef DIRECT
	/* approvals_answer: identical calls, of which one gets the grant */
	:: atomic { calls > 0 -> calls--;
		if
		:: state == APPROVED && IS_GOOD && STILL_APPROVED ->
			sign(0); grant = 0; number = 1
		:: state == APPROVED && IS_GOOD && !STILL_APPROVED ->
			move(REVOKED); goto end_idle
		:: else -> goto end_idle	/* under way, waiting or ended: it is told so */
		fi }
#else
	:: atomic { wire?grant, arguments, number ->
		if
		:: true
		:: true -> goto forgets		/* lost on its way */
		fi }
#endif
	MAY_DIE;
	/* verify: was it used; epoch, times, names, digests */
	atomic {
		id = grant_id[grant] + 2 * (_pid % STORES);
#ifndef RUNS_AGAIN
		if
		:: burn[id] != UNBURNT -> answer_used(); goto forgets
		:: else
		fi
#else
		if
		:: burn[id] != UNBURNT && burn[id] != LOST -> answer_used(); goto forgets
		:: else
		fi
#endif
	}
	MAY_DIE;
	atomic {
		good = IS_OF_EPOCH && !grant_over;
#ifndef ARGUMENTS_UNCHECKED
		good = good && arguments == THE_ARGUMENTS;
#endif
		if
		:: good
		/* unburnt_state: the keeper knows what an earlier copy may have done */
		:: !good && grant_epoch[grant] != epoch -> answer(SAYS_OLDER); goto forgets
		:: !good && grant_epoch[grant] == epoch -> answer(SAYS_REFUSED); goto forgets
		fi
	}
	MAY_DIE;
	/* plan_again */
	plan = world;
	MAY_DIE;
#ifndef PLAN_UNCHECKED
	atomic {
		if
		:: plan != planned ->		/* burn_unused */
			if
			:: burn[id] == UNBURNT && IS_OF_EPOCH ->
				burn[id] = SPENT; goto spent
			:: burn[id] == UNBURNT && !IS_OF_EPOCH ->
				burn[id] = LOST; answer(SAYS_UNKNOWN)
#ifdef USED_MEANWHILE_IGNORED
			:: burn[id] != UNBURNT -> answer(SAYS_FAILED)
#else
			:: burn[id] != UNBURNT -> answer_used()
#endif
			fi;
			goto forgets
		:: else
		fi
	}
	MAY_DIE;
#endif
#ifdef BURN_AFTER_ACT
	act();
	MAY_DIE;
#endif
	/* begin: the audit line, the last look at the clock, the burn */
	atomic {
#ifndef NO_LAST_LOOK
		if
		:: grant_over -> answer(SAYS_REFUSED); goto forgets
		:: else
		fi;
		burning++
#else
		skip
#endif
	}
	atomic {
#ifndef NO_LAST_LOOK
		burning--;
#endif
		if
#ifdef RUNS_AGAIN
		:: burn[id] == LOST -> burn[id] = STARTED; mine = true
#endif
		:: burn[id] == UNBURNT -> burn[id] = STARTED; mine = true
		:: else -> answer_used(); goto forgets
		fi
	}
	MAY_DIE;
#ifndef EPOCH_NOT_READ_AGAIN
	/* the store may have forgotten another burn of this id since it was looked for */
	atomic {
		if
		:: !IS_OF_EPOCH ->
			if
			:: burn[id] == STARTED -> burn[id] = LOST
			:: else
			fi;
			answer(SAYS_UNKNOWN);
			goto forgets
		:: else
		fi
	}
	MAY_DIE;
#endif
#ifndef BURN_AFTER_ACT
	/* run */
	atomic { act() }
	MAY_DIE;
#endif
	/* finish */
	atomic {
		if
		:: burn[id] == STARTED -> burn[id] = DONE
		:: else
		fi
	}
	MAY_DIE;
	atomic { answer(SAYS_DONE) }
	goto forgets;
#ifndef PLAN_UNCHECKED
spent:
	MAY_DIE;
	atomic { answer(SAYS_FAILED) }
#endif
forgets:
	atomic { grant = 0; number = 0; id = 0; arguments = 0; plan = 0; mine = 0; good = 0 }
	goto end_idle;
dies:
	/* recover_started, burn_recover */
	atomic {
#ifdef EMBEDDED
		epoch++;
#endif
		if
		:: burn[0] == STARTED -> burn[0] = LOST
		:: else
		fi;
		if
		:: burn[1] == STARTED -> burn[1] = LOST
		:: else
		fi
	}
	goto forgets
	od
}

/* ---- What happens by itself ---- */

active proctype Clock()
{
end_before_yes:
	if
	:: atomic { state == APPROVED -> yes_over = true }
	:: atomic { words > 0 -> grant_over = true; goto over }
	fi;
end_before_grant:
	atomic { words > 0 -> grant_over = true };
over:
	/* A burn that passed its last look takes less than BURN_WAIT_MS. */
	atomic { burning == 0 -> settled = true };
	atomic { given_up = true }
}

active proctype Changes()
{
	byte flushes = FLUSHES;

end_changes:
	do
	:: atomic { policy && words == 0 && !IS_END(state) -> policy = 0 }
	:: atomic { world == planned && !IS_END(state) -> world = 1 - world; break }
	od;
end_flushes:
	do
	:: atomic { policy && words == 0 && !IS_END(state) -> policy = 0 }
	:: atomic { flushes > 0 && words > 0 ->
		flushes--;
		epoch++;
		burn[0] = UNBURNT;
		burn[1] = UNBURNT }
	od
}

#ifndef DIRECT
/* Presents what it kept, with the arguments that were approved or with its own. */
active proctype Hostile()
{
	byte replays = REPLAYS;

end_hostile:
	do
	:: atomic { replays > 0 && leaves[0] && nfull(wire) ->
		replays--;
		if
		:: wire!0, THE_ARGUMENTS, 0
		:: wire!0, 1 - THE_ARGUMENTS, 0
#ifdef RANDOM_ID
		:: leaves[1] -> wire!1, THE_ARGUMENTS, 0
#endif
		fi }
	od
}
#endif

init {
	atomic {
		byte n;
		for (n : 1 .. REPLICAS) { run Server() }
	}
}
