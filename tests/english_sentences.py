"""What people say to a house, and what should come of it; written without regard to the templates.

Each line: the sentence | the speaker's area, if it matters | the effect in the house of
tests/houses.py. An effect is a verb, its value if it has one, and the ids it goes to; `ask` names
what is asked about; `timer`, `cancel`, `left`, `time`, `date`, `nevermind` are the rest;
`refuse` is understood, and nothing is done. The kitchen light and the living room lamp are on at
50 per cent, all else is off, the blinds are closed, the thermostat is set to 20.
"""

from dataclasses import dataclass

LIVING = "living_room.light living_room.lamp"
BEDROOM = "bedroom.light bedroom.lamp"
UPSTAIRS = f"{BEDROOM} office.light"
DOWNSTAIRS = f"kitchen.light {LIVING}"
LIGHTS = f"{DOWNSTAIRS} {UPSTAIRS}"
BLINDS = "kitchen.blinds living_room.blinds bedroom.blinds"
THERMOSTAT = "living_room.thermostat"


@dataclass(frozen=True, slots=True)
class Spoken:
    text: str
    area: str | None
    effect: str


COMMANDS = f"""
turn on the kitchen light | | on kitchen.light
switch the kitchen light on please | | on kitchen.light
kitchen light on | | on kitchen.light
can you turn the bedroom lamp off | | off bedroom.lamp
please put the living room lamp on | | on living_room.lamp
turn on the light in the kitchen | | on kitchen.light
turn the lights on in the living room | | on {LIVING}
lights off in the bedroom please | | off {BEDROOM}
bedroom lights off | | off {BEDROOM}
in the kitchen turn on the light | | on kitchen.light
could you switch off all the lights | | off {LIGHTS}
turn all the lights off | | off {LIGHTS}
all lights off | | off {LIGHTS}
turn off every light in the house | | off {LIGHTS}
switch everything off | | off {LIGHTS} kitchen.coffee_machine office.fan
turn off everything in the office | | off office.light office.fan
turn off the lights upstairs | | off {UPSTAIRS}
turn off the upstairs lights | | off {UPSTAIRS}
turn on all the lights downstairs | | on {DOWNSTAIRS}
turn on the light | Kitchen | on kitchen.light
lights on | Living Room | on {LIVING}
switch the lights off in here | Bedroom | off {BEDROOM}
turn off all the lights in this room | Living Room | off {LIVING}
turn the lamp on | Bedroom | on bedroom.lamp
turn off the lamp in the living room | | off living_room.lamp
would you turn the coffee machine on | | on kitchen.coffee_machine
start the coffee machine | | on kitchen.coffee_machine
turn off the coffee machine in the kitchen | | off kitchen.coffee_machine
turn the fan on | | on office.fan
switch off the fan in the office | | off office.fan
turn the light on | | refuse
i'd like the kitchen light on | | on kitchen.light
turn the kitchen light and the bedroom lamp off | | off kitchen.light bedroom.lamp
turn on the living room lamp and the office light | | on living_room.lamp office.light
put the lights on in the kitchen and the office | | on kitchen.light office.light
shut off the bedroom light | | off bedroom.light
kill the lights in the living room | | off {LIVING}
toggle the office light | | toggle office.light
lights out | Bedroom | off {BEDROOM}
light up the kitchen | | on kitchen.light
give me some light in the office | | on office.light
dim the kitchen light | | set_brightness 30 kitchen.light
dim the living room lamp to twenty percent | | set_brightness 20 living_room.lamp
set the bedroom lights to 30 percent | | set_brightness 30 {BEDROOM}
set the kitchen light to half | | set_brightness 50 kitchen.light
turn the bedroom lamp down to ten percent | | set_brightness 10 bedroom.lamp
turn up the kitchen light | | set_brightness 70 kitchen.light
make the kitchen light a bit brighter | | set_brightness 70 kitchen.light
kitchen light a little darker please | | set_brightness 30 kitchen.light
make it brighter in here | Kitchen | set_brightness 70 kitchen.light
it's too dark in here | Kitchen | set_brightness 70 kitchen.light
brighten the living room lamp a little | | set_brightness 70 living_room.lamp
kitchen light to eighty percent | | set_brightness 80 kitchen.light
set the brightness of the kitchen light to forty percent | | set_brightness 40 kitchen.light
set the office light brightness to 75% | | set_brightness 75 office.light
make the living room lights blue | | set_color blue {LIVING}
set the bedroom lamp to red | | set_color red bedroom.lamp
turn the living room lamp green | | set_color green living_room.lamp
change the color of the bedroom light to purple | | set_color purple bedroom.light
i want the bedroom lamp in pink | | set_color pink bedroom.lamp
set the living room light to warm white | | set_color_temp 2700 living_room.light
make the bedroom lights cold white | | set_color_temp 6000 {BEDROOM}
make the kitchen light red | | refuse
full brightness in the kitchen | | set_brightness 100 kitchen.light
put the office light on full | | set_brightness 100 office.light
open the living room blinds | | open living_room.blinds
close the blinds in the bedroom | | close bedroom.blinds
close all the blinds | | close {BLINDS}
shut the bedroom blinds please | | close bedroom.blinds
could you open the blinds | Bedroom | open bedroom.blinds
pull the blinds up in the living room | | open living_room.blinds
put the bedroom blinds down | | close bedroom.blinds
lower the living room blinds | | close living_room.blinds
raise the blinds upstairs | | open bedroom.blinds
open the bedroom blinds halfway | | set_position 50 bedroom.blinds
close the living room blinds half | | set_position 50 living_room.blinds
half open the bedroom blinds | | set_position 50 bedroom.blinds
set the living room blinds to thirty percent | | set_position 30 living_room.blinds
open the blinds a quarter in the bedroom | | set_position 25 bedroom.blinds
stop the living room blinds | | stop living_room.blinds
stop the blinds | Bedroom | stop bedroom.blinds
open every blind | | open {BLINDS}
blinds down | Living Room | close living_room.blinds
set the thermostat to twenty one degrees | | set_temperature 21 {THERMOSTAT}
set the temperature in the living room to nineteen | | set_temperature 19 {THERMOSTAT}
make it twenty two degrees in the living room | | set_temperature 22 {THERMOSTAT}
turn the heating up | | set_temperature 21 {THERMOSTAT}
turn the heating down by two degrees | | set_temperature 18 {THERMOSTAT}
two degrees warmer please | | set_temperature 22 {THERMOSTAT}
make it a bit warmer | | set_temperature 21 {THERMOSTAT}
it's too hot in here | Living Room | set_temperature 19 {THERMOSTAT}
i'm cold | Living Room | set_temperature 21 {THERMOSTAT}
lower the temperature by one degree | | set_temperature 19 {THERMOSTAT}
set the heating to twenty and a half degrees | | set_temperature 20.5 {THERMOSTAT}
turn the living room up to 23 degrees | | set_temperature 23 {THERMOSTAT}
set the thermostat to forty degrees | | refuse
is the kitchen light on | | ask on kitchen.light
are the lights on in the living room | | ask on {LIVING}
are all the lights off | | ask off {LIGHTS}
did i leave the coffee machine on | | ask on kitchen.coffee_machine
which lights are on | | ask on {LIGHTS}
are any lights on upstairs | | ask on {UPSTAIRS}
is the bedroom blind open | | ask open bedroom.blinds
are the blinds closed | Living Room | ask closed living_room.blinds
is the coffee machine still on | | ask on kitchen.coffee_machine
what's the temperature in the living room | | ask temperature {THERMOSTAT}
how warm is it in the living room | | ask temperature {THERMOSTAT}
how cold is it | | ask temperature {THERMOSTAT}
what is the thermostat set to | | ask temperature {THERMOSTAT}
set a timer for ten minutes | | timer 600
set a ten minute timer | | timer 600
timer five minutes | | timer 300
start a timer for an hour and a half | | timer 5400
set a timer for one hour and thirty minutes | | timer 5400
set a pasta timer for eight minutes | | timer 480 pasta
set a timer for the eggs for four and a half minutes | | timer 270 eggs
ten minutes for the pizza please | | timer 600 pizza
set a timer for two minutes and thirty seconds | | timer 150
set a timer for half an hour | | timer 1800
remind me in twenty minutes | | timer 1200
set a timer for a hundred and twenty minutes | | timer 7200
cancel the timer | | cancel
stop the pasta timer | | cancel pasta
cancel all timers | | cancel all
how long is left on the timer | | left
how much time is left on the pasta timer | | left pasta
how many minutes are left | | left
what time is it | | time
can you tell me what time it is | | time
what's the date today | | date
what day is it | | date
never mind | | nevermind
"""

CHATTER = """
i turned on the light yesterday and forgot about it
did you see the game last night
the kitchen is my favourite room in the house
we should paint the bedroom blue next year
she said the lights went out in the whole street
what do you want for dinner
i think the blinds look nice
open your books to page ten
set the table please
the light at the end of the tunnel
can you believe it
how much is a new coffee machine
it's warm outside today
it was cold last night
close the deal before friday
turn left at the next corner
i need ten minutes to get ready
the timer on the oven is broken
we have an hour and a half until the film starts
put the kettle on
switch to the other channel
stop talking so loud
are you open to suggestions
is he still on the phone
the fan club meets on tuesday
he turned the offer down
let's go to the living room
i left my phone in the bedroom
everything is fine
half of the class was absent
make up your mind
make me a cup of tea
the weather is too hot for me this summer
it is too late now
are you coming upstairs
go upstairs and brush your teeth
dad is in the office
what is the meaning of life
tell me a joke
play some music
who left the door open
i could eat a whole pizza
five minutes later they arrived
remember to call your mother
the red one is mine
do you like the colour green
turn around
raise your hand if you know
lower your voice
start the car
all of them were late
how long is the movie
what time does the shop close
is it raining
is dinner ready
light reading is fine for the train
the lamp was a gift from my aunt
my degrees are in physics and maths
twenty percent of people agree
hey how are you doing
"""


def commands() -> list[Spoken]:
    rows = (line.split("|") for line in COMMANDS.strip().splitlines())
    return [
        Spoken(text.strip(), area.strip() or None, effect.strip()) for text, area, effect in rows
    ]


def chatter() -> list[str]:
    return CHATTER.strip().splitlines()
