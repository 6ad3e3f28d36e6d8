"""The evaluation of the agent: tasks judged by the state in which house, calendar, timers and facts
end. What a task says is data in `data/agent`; nothing here knows what the agent is made of."""
