/* The protocol by which replicas share one database: who of them tells a destination's row (design.md 2.7, libraries.md 7).
 *
 * A row has a version, a claim (owner, epoch) and a lease. A replica that sees an untold row claims it: the claim succeeds if
 * the row has the version that was seen and no lease that holds, and gives it the next epoch. It sends, then finishes: that
 * succeeds only under its own epoch. A lease runs out by the database's clock, whatever its owner does: it may be paused
 * between any two steps, or be dead. Every answer of the database may be lost after what it answers was done. The database
 * may go away and come back; a replica that cannot reach it sends from memory, rather twice than never.
 *
 * What must hold:
 *   one_sender   an epoch has at most one sender
 *   fenced       nobody whose epoch is over changes the row
 *   told         if one replica lives, the row is told in the end, with or without the database
 *
 * tests/model/run.sh takes out one step after the other (-D...) and must see spin find it. */

#ifndef N
#define N 2
#endif
#ifndef EPOCHS
#define EPOCHS 4 /* a search this deep has seen every order of three claims, their expiries and a death */
#endif
#define NOBODY 255

byte version = 0, owner = NOBODY, epoch = 0;
bool leased = false, told = false, told_from_memory = false, is_up = true, stays_away = false;
byte sender[EPOCHS];  /* of an epoch: replica + 1; 0: nobody yet */
byte alive = N, outages = 0;
bool dead[N];

/* What the writer of a finish knew; checked against the row at that instant. */
inline finish(me, mine) {
    atomic {
        if
#ifdef NO_FENCE
        :: true ->
#else
        :: leased && owner == me && epoch == mine ->
#endif
            assert(epoch == mine); /* fenced */
            version++;
            told = true;
            leased = false;
            owner = NOBODY
        :: else -> skip /* fenced off: the result is dropped */
        fi
    }
}

proctype Replica(byte me) {
    byte seen, mine;
    bool has;

again:
    has = false;
    if
    :: dead[me] -> goto end
    :: told || told_from_memory -> goto end
    :: !dead[me] && !told && !told_from_memory -> skip
    fi;
    if
    :: is_up -> seen = version
    :: !is_up -> goto memory
    fi;
    /* the claim; its answer may be lost */
    atomic {
        if
        :: !is_up -> goto memory
        :: is_up && !leased && version == seen && !told && epoch < EPOCHS - 1 ->
#ifndef NO_EPOCH
            epoch++;
#endif
            owner = me;
            leased = true;
            mine = epoch;
            if
            :: has = true
            :: has = false /* the answer is lost: the lease must run out */
            fi
        :: is_up && (leased || version != seen || told || epoch >= EPOCHS - 1) -> skip
        fi
    }
    if
    :: has -> skip
    :: !has -> goto again
    fi;
    /* a pause may lie here: the lease may be over when it goes on */
    if
    :: dead[me] -> goto end
    :: !dead[me] -> skip
    fi;
    atomic {
        assert(sender[mine] == 0 || sender[mine] == me + 1); /* one_sender */
        sender[mine] = me + 1
    }
    if
    :: dead[me] -> goto end
    :: !dead[me] -> skip
    fi;
    if
    :: is_up -> finish(me, mine)
    :: !is_up -> skip /* it was sent and is not written: told again, once the lease is over */
    fi;
    goto again;
memory:
#ifdef NO_MEMORY
    goto again;
#else
    if
    :: dead[me] -> goto end
    :: !dead[me] -> told_from_memory = true
    fi;
#endif
end:
    skip
}

/* Leases run out, replicas die, all but one; the database goes away, comes back or stays away. */
proctype World() {
    do
#ifndef NO_EXPIRY
    :: atomic { leased && is_up -> leased = false; owner = NOBODY }
#endif
    :: atomic { alive > 1 ->
        byte who;
        select(who : 0 .. N - 1);
        if
        :: !dead[who] -> dead[who] = true; alive--
        :: else -> skip
        fi }
    :: atomic { is_up && outages < 1 -> is_up = false; outages++; if :: stays_away = true :: skip fi }
    :: atomic { !is_up && !stays_away -> is_up = true }
    :: told || told_from_memory -> break
    od
}

init {
    byte i;
    atomic {
        for (i : 0 .. N - 1) { run Replica(i) }
        run World()
    }
}

ltl told_in_the_end { <> (told || told_from_memory || epoch >= EPOCHS - 1) }
