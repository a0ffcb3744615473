"""The textbook model itself: one SimPy process per message. Start at `Textbook.message`."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import simpy

from sendcap.ledger import Ledger
from sendcap.model.addresses import SUSPENDED, TOO_MANY_CONNECTIONS, TRANSIENT
from sendcap.scenario import Scenario
from sendcap.textbook.active import ActiveQueue
from sendcap.textbook.answers import hard_reason, refusal, temporary_reason
from sendcap.textbook.backlog import held_messages
from sendcap.textbook.campaign import Campaign
from sendcap.textbook.chance import Chance
from sendcap.textbook.confirmation import as_confirmed, confirmations
from sendcap.textbook.line import AN_INSTANT_S
from sendcap.textbook.message import Message
from sendcap.textbook.people import People
from sendcap.textbook.person import Person
from sendcap.textbook.queue import SENT_BACK, Connection
from sendcap.textbook.relay import Batch, Relay
from sendcap.textbook.sending import Sending, sendings_of
from sendcap.textbook.strangers import Strangers
from sendcap.textbook.throttles import Ingress
from sendcap.textbook.wiring import turns_of, wired_queues

Process = Generator[simpy.Event, Any, None]


class Textbook:
    """The relay, the MTA, the recipients' servers and the feedback, one message at a time."""

    def __init__(self, scenario: Scenario) -> None:
        self.env = simpy.Environment()
        self.chance = Chance(scenario)
        confirmed_s = confirmations(scenario, self.chance)
        self.sendings = list(sendings_of(scenario, confirmed_s))
        last_s = max(sending.prepared_s for sending in self.sendings)
        self.scenario = scenario = as_confirmed(scenario, confirmed_s)
        population = scenario.population
        self.people: People | Strangers = (
            Strangers(scenario, self.chance)
            if population is None
            else People(scenario, population, self.chance, last_s)
        )
        self.campaign = Campaign(self.env, scenario, self.chance, self.people.learning)
        mta = scenario.mta
        self.active = ActiveQueue(self.env, mta.active)
        queues = wired_queues(self.env, scenario, self.chance, self.active)
        # Where each address of a pool has a queue, new messages take them in turn, and retries do.
        self.turns = turns_of(queues, scenario)
        self.retry_turns = turns_of(queues, scenario)
        self.relay = Relay(self.env, scenario)
        self.ingress = Ingress(mta.ingress_rate)

    # --- Campaign: it prepares sendings, and the relay hands batches over -----------------------

    def preparation(self, people: People, sending: Sending) -> Process:
        """Prepare a sending when it is time."""
        yield self.env.timeout(sending.prepared_s)
        parts = people.prepare(sending)
        for delivery in self.scenario.deliveries:
            if delivery.name in parts:
                self.relay.add(delivery, parts[delivery.name])

    def worker(self) -> Process:
        """Hand over one batch after the other."""
        relay = self.scenario.relay
        while (started := (yield from self.relay.next_batch())) is not None:
            yield self.env.timeout(self.chance.draw(relay.batch_time))
            batch = [self.addressed(started, person) for person in started.people]
            for message in batch:
                failed = self.chance.happens(relay.error_rate)
                self.campaign.count("happened", "relay_failed" if failed else "relayed", message)
                if failed:
                    self.relay.make_room()
                else:
                    self.env.process(self.message(message))
            self.env.process(self.expire_waiting(batch))

    def addressed(self, batch: Batch, person: Person) -> Message:
        """Return a message that has just been relayed, with what is wrong with its address."""
        delivery = batch.delivery
        queue = next(self.turns[person.provider, self.scenario.pool_of(delivery)])
        begins_s = self.env.now if self.scenario.mta.clock_origin == "relayed" else delivery.at
        expiry_s = begins_s + self.scenario.honoured_validity(delivery)
        message = Message(delivery, person, queue, batch.ready_s, self.env.now, expiry_s)
        message.goes_wrong_by(self.people.wrong_with(person, self.env.now))
        return message

    # --- The MTA: one process per message -------------------------------------------------------

    def message(self, message: Message) -> Process:
        """Live the life of a message, from the relay to its end."""
        leaves_s = self.ingress.leaves_s(self.env.now)
        if leaves_s > message.expiry_s:
            yield from self.run_out(message)
            return
        yield self.env.timeout(leaves_s - self.env.now)
        yield from self.tries(message)

    def held(self, message: Message, due_s: float) -> Process:
        """Go on with the life of a message that the MTA holds at t = 0."""
        self.campaign.before(message)
        if due_s > max(message.expiry_s, 0.0):
            yield from self.run_out(message)
            return
        yield self.env.timeout(due_s)
        self.take_turn(message)
        yield from self.tries(message)

    def tries(self, message: Message) -> Process:
        """Try a message in its queue until it comes to its end."""
        env = self.env
        while True:
            queue, message.since_s = message.queue, env.now
            connection = yield self.active.ask(message)
            if connection is SENT_BACK:
                if (yield from self.backs_off(message, SUSPENDED)):
                    continue
                return
            if connection is None:
                break
            if queue.has_to_be_made(connection):
                connect_s = self.chance.draw(queue.provider.connect_time)
                made = yield from queue.connect(connection, connect_s, message.expiry_s)
                if made is None:
                    break
                if not made:
                    self.campaign.count("happened", "attempted", message)
                    self.release(message, connection)
                    if (yield from self.backs_off(message, TOO_MANY_CONNECTIONS)):
                        continue
                    return
            finish_s = yield from self.start(message)
            if finish_s is None:
                sent_back = queue.sends_back and env.now <= message.expiry_s
                queue.in_use -= 1
                self.release(message, connection)
                if not sent_back:
                    break
                if (yield from self.backs_off(message, SUSPENDED)):
                    continue
                return
            yield env.timeout(finish_s - env.now)
            connection.attempts_left -= 1
            connection.used_s = env.now
            queue.in_use -= 1
            # What it does to the queue comes before anyone is given the connection.
            refused = refusal(queue)
            hard = "" if refused else hard_reason(message, self.chance)
            reason = "" if hard else temporary_reason(message, refused, env.now, self.chance)
            is_faulty = reason not in ("", refused, TRANSIENT)
            queue.answered("hard" if hard else "fault" if is_faulty else reason)
            self.release(message, connection)

            if hard:
                self.campaign.report(message, "hard", env.now, hard)
                self.relay.make_room()
                return
            if not reason:
                self.accept(message)
                return
            if not (yield from self.backs_off(message, reason)):
                return
        yield from self.run_out(message)

    def release(self, message: Message, connection: Connection) -> None:
        """Let another message be active, which may have the connection, and then others have it."""
        message.queue.take_back(connection)
        self.active.leave(message)
        message.queue.serve()

    def backs_off(self, message: Message, reason: str) -> Generator[simpy.Event, Any, bool]:
        """Let a message back off until it is due again; return whether it is."""
        self.active.leave(message)
        due_s = self.bounce_softly(message, reason)
        if due_s is not None:
            yield self.env.timeout(due_s - self.env.now)
            self.take_turn(message)
        return due_s is not None

    def take_turn(self, message: Message) -> None:
        """Let a message that is due again take the address whose turn it is."""
        message.is_retry = True
        path = message.queue.path
        message.queue = next(self.retry_turns[path.provider, path.pool])

    def expire_waiting(self, batch: list[Message]) -> Process:
        """Call those of a batch out of their queues that still wait at their expiry."""
        # An instant later: what is taken at that very moment still goes.
        wait_s = batch[0].expiry_s - self.env.now + AN_INSTANT_S
        yield self.env.timeout(max(wait_s, 0.0))
        for message in batch:
            self.active.give_up(message)

    def start(self, message: Message) -> Generator[simpy.Event, Any, float | None]:
        """Start an attempt as soon as the limits let it; return its finish, None if too late."""
        queue = message.queue
        in_time = yield from queue.line.wait(queue.turn(message), message.expiry_s)
        if not in_time:
            return None
        transaction_s = self.chance.draw(queue.provider.transaction_time)
        finish_s = queue.server.finish_s(self.env.now, transaction_s)
        queue.line.charge(finish_s)
        self.campaign.count("happened", "attempted", message)
        return finish_s

    def run_out(self, message: Message) -> Process:
        """Wait for a message's expiry, and report it."""
        yield self.env.timeout(max(message.expiry_s - self.env.now, 0.0))
        self.expire(message, max(message.expiry_s, message.relayed_s, 0.0))
        self.active.leave(message)

    def bounce_softly(self, message: Message, reason: str) -> float | None:
        """Report a soft bounce; return when the message is due again, None if it ends here."""
        now_s, retry = self.env.now, self.scenario.retry_of(message.queue.name)
        message.reason = reason
        if message.failures == 0:
            message.first_failed_s = now_s
        self.campaign.report(message, "soft", now_s, reason)
        due_s = message.due_again_s(retry, now_s, self.chance.uniform)
        message.failures += 1
        message.previous_delay_s = due_s - now_s
        if due_s <= message.expiry_s:
            return due_s
        at_once = math.isinf(due_s) or self.scenario.expires_on_failure(message.queue.name)
        self.expire(message, now_s if at_once else max(message.expiry_s, now_s))
        return None

    def accept(self, message: Message) -> None:
        """Report an accepted message, and what the recipient does with it."""
        accepted_s, engagement = self.env.now, self.scenario.engagement
        person = message.person
        person.accepted_s += (accepted_s,)
        self.campaign.report(message, "accepted", accepted_s)
        self.campaign.delayed(message, accepted_s - message.ready_s)
        self.relay.make_room()
        if self.chance.happens(message.queue.provider.async_bounce):
            returned_s = accepted_s + next(self.chance.asynchronous_s)
            self.campaign.report(message, "async_bounced", returned_s, latency_s=0.0)
        if self.chance.happens(self.people.open_rate(person)):
            opened_s = accepted_s + self.chance.draw(engagement.open_delay)
            self.campaign.count("happened", "opened", message, opened_s)
            if self.chance.happens(engagement.click_rate):
                clicked_s = opened_s + self.chance.draw(engagement.click_delay)
                self.campaign.count("happened", "clicked", message, clicked_s)
            self.people.opened(person, opened_s)

    def expire(self, message: Message, when_s: float) -> None:
        """Report that a message's time is over."""
        self.campaign.report(message, "expired", when_s, message.reason)
        self.env.process(self.make_room_at(when_s))

    def make_room_at(self, when_s: float) -> Process:
        """Make room when a message expires."""
        yield self.env.timeout(max(when_s - self.env.now, 0.0))
        self.relay.make_room()

    def run(self) -> Ledger:
        """Run until nothing is left to happen, or to the horizon."""
        people = self.people
        if isinstance(people, Strangers):
            for delivery in self.scenario.deliveries:
                self.relay.add(delivery, [] if delivery.is_held else people.drawn_for(delivery))
        else:
            for sending in sorted(self.sendings, key=lambda each: each.prepared_s):
                self.env.process(self.preparation(people, sending))
        for message, due_s in held_messages(self.scenario, self.chance, self.retry_turns):
            self.env.process(self.held(message, due_s))
            self.env.process(self.expire_waiting([message]))
        for _ in range(self.scenario.relay.workers):
            self.env.process(self.worker())
        self.env.run(self.scenario.time.horizon)
        ledger = self.campaign.ledger(self.scenario.providers)
        if isinstance(people, Strangers):
            return ledger
        people.end(ledger.end_s)
        return replace(ledger, to_deliver=people.to_deliver)
