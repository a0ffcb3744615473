"""The active queue in the textbook model: so many messages may ask for connections at a time."""

from __future__ import annotations

import math
from collections import deque

import simpy

from sendcap.textbook.message import Message


class ActiveQueue:
    """The others stand in the incoming line, whatever their provider: first in, first out."""

    def __init__(self, env: simpy.Environment, size: int | None) -> None:
        self.env = env
        self.room = math.inf if size is None else size
        self.incoming: deque[Message] = deque()

    def ask(self, message: Message) -> simpy.Event:
        """Return an event that is given a connection, or None by who waits no longer."""
        message.asked = self.env.event()
        self.incoming.append(message)
        self.admit()
        message.queue.settle()
        return message.asked

    def admit(self) -> None:
        """Let messages ask their queues for a connection, as long as there is room."""
        while self.incoming and self.room:
            message = self.incoming.popleft()
            message.is_active = True
            self.room -= 1
            message.queue.ask(message)

    def leave(self, message: Message) -> None:
        """Make room for another message, if this one is active."""
        if message.is_active:
            message.is_active = False
            self.room += 1
            self.admit()

    def give_up(self, message: Message) -> None:
        """Let a message wait no longer, unless a connection has been given."""
        if message.asked is None or message.asked.triggered:
            return
        if message.is_active:
            message.queue.give_up(message)
        else:
            self.incoming.remove(message)
            message.queue.settle()
        message.answer(None)
